//! TLS: a certificate that is pinned by its fingerprint, or one that a known authority vouches for.

use std::sync::Arc;

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring::default_provider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::error::Error;

/// Checks hosts by `fingerprint`, or else by the known authorities.
pub(crate) fn config(fingerprint: Option<&str>) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder =
        builder.map_err(|error| Error::Misunderstood { host: "TLS".into(), reason: error.to_string() })?;
    let builder = if let Some(text) = fingerprint {
        let pinned = Pinned { fingerprint: parse(text)?, algorithms };
        builder.dangerous().with_custom_certificate_verifier(Arc::new(pinned))
    } else {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        builder.with_root_certificates(roots)
    };
    Ok(Arc::new(builder.with_no_client_auth()))
}

/// What is said of a host that answers a plain request with something else.
pub(crate) const NOT_PLAIN: &str = "it does not answer in plain HTTP; if it speaks TLS, give its fingerprint";

/// Why a connection was not made, or broke, where its certificate may be the cause.
pub(crate) fn in_words(error: &std::io::Error) -> String {
    use rustls::Error as Tls;
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Tls::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
            "its certificate has another fingerprint than was given".into()
        }
        Some(Tls::InvalidCertificate(why)) => {
            format!(
                "its certificate is not taken ({why}); if it made the certificate itself, give its fingerprint"
            )
        }
        Some(Tls::InvalidMessage(_)) => "it does not speak TLS".into(),
        _ => error.to_string(),
    }
}

fn parse(text: &str) -> Result<[u8; SHA256_OUTPUT_LEN], Error> {
    let refuse = || Error::BadFingerprint { fingerprint: text.to_owned() };
    let digits: Vec<u8> = text.bytes().filter(|byte| !b": ".contains(byte)).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let is_whole = digits.iter().all(u8::is_ascii_hexdigit);
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(pair).collect();
    bytes.filter(|_| is_whole).and_then(|bytes| bytes.try_into().ok()).ok_or_else(refuse)
}

/// Takes one certificate, whoever signed it and whatever names it has: its owner proves that he has its key.
#[derive(Debug)]
struct Pinned {
    fingerprint: [u8; SHA256_OUTPUT_LEN],
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if digest(&SHA256, certificate).as_ref() == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_hosts_and_other_tools_print_them() {
        let plain = "ab".repeat(32);
        let with_colons = ["AB"; 32].join(":");
        assert_eq!(parse(&plain).unwrap(), [0xab; 32]);
        assert_eq!(parse(&with_colons).unwrap(), [0xab; 32]);
        for bad in ["", "ab", &"ab".repeat(33), &"xy".repeat(32), &"+1".repeat(32)] {
            assert!(matches!(parse(bad), Err(Error::BadFingerprint { .. })), "{bad}");
        }
    }
}
