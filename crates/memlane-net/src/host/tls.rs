//! The host's certificate: given, or made by itself and kept, so that clients can pin it.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use ring::digest;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::HostError;
use super::secret::Vault;
use crate::view::document::hexadecimal;

/// The self-made certificate and its key, one behind the other, in the space's own folder.
const NAME: &str = "certificate.pem";

/// Encryption of a host's connections.
#[derive(Clone, Default)]
pub struct Tls {
    /// The certificate with those above it, and its key, as PEM; none when the host makes its own.
    given: Option<(String, String)>,
}

/// Encryption as it is served.
#[derive(Debug, Clone)]
pub(super) struct Served {
    pub(super) config: Arc<ServerConfig>,
    /// The SHA-256 of the certificate, in hexadecimal digits.
    pub(super) fingerprint: String,
}

impl Tls {
    /// With a certificate that the host makes when it first needs one, and keeps in its space. Clients are told its
    /// [fingerprint](super::Bound::fingerprint).
    pub fn self_made() -> Self {
        Self::default()
    }

    /// With a certificate (and those above it) and its key from PEM files.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, HostError> {
        let read = |path: &Path| {
            let mut text = String::new();
            let read = File::open(path).and_then(|mut file| file.read_to_string(&mut text));
            read.map(|_| text).map_err(|error| HostError::Certificate(format!("{}: {error}", path.display())))
        };
        Ok(Self { given: Some((read(certificate)?, read(key)?)) })
    }

    /// As connections are encrypted.
    pub(super) fn prepare(self, vault: &Vault, names: &[String]) -> Result<Served, HostError> {
        let (certificate, key) = match self.given {
            Some(given) => given,
            None => kept(vault, names)?,
        };
        let refused = |error: &dyn fmt::Display| HostError::Certificate(error.to_string());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let chain = chain.map_err(|error| refused(&error))?;
        let first = chain.first().ok_or_else(|| refused(&"there is no certificate in the file"))?;
        let fingerprint = hexadecimal(digest::digest(&digest::SHA256, first).as_ref());
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| refused(&error))?;
        let config = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|error| refused(&error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Served { config: Arc::new(config), fingerprint })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.given.is_some() { "Tls(given)" } else { "Tls(self-made)" })
    }
}

/// The certificate that was made before, else a new one: it and its key, both in the same text.
fn kept(vault: &Vault, names: &[String]) -> Result<(String, String), HostError> {
    if let Some(kept) = vault.read(NAME).filter(|kept| PrivateKeyDer::from_pem_slice(kept.as_bytes()).is_ok())
    {
        return Ok((kept.clone(), kept));
    }
    let names: Vec<_> =
        names.iter().cloned().chain(["localhost".into(), "127.0.0.1".into(), "::1".into()]).collect();
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|error| HostError::Certificate(format!("none can be made: {error}")))?;
    let text = made.cert.pem() + &made.signing_key.serialize_pem();
    vault.write(NAME, &text)?;
    Ok((text.clone(), text))
}
