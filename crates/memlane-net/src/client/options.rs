//! How to reach a host, and what to tell it.

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::error::Error;
use crate::protocol::DEFAULT_PORT;

/// The environment variable that holds a token, of clients and of hosts.
pub const TOKEN_VARIABLE: &str = "MEMLANE_TOKEN";
/// The environment variable that names a file which holds a token.
pub const TOKEN_FILE_VARIABLE: &str = "MEMLANE_TOKEN_FILE";

/// Where a host listens.
///
/// ```
/// use memlane_net::client::Address;
/// let address: Address = "192.168.1.5".parse()?;
/// assert_eq!(address.to_string(), "192.168.1.5:7440");
/// assert_eq!("[::1]:80".parse::<Address>()?.to_string(), "[::1]:80");
/// # Ok::<(), memlane_net::client::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// A name, or an IP address without brackets.
    pub host: String,
    /// 7440 unless said otherwise.
    pub port: u16,
    /// Whether it was written with `wss://`: TLS is meant.
    pub tls: bool,
}

impl FromStr for Address {
    type Err = Error;

    /// `HOST`, `HOST:PORT`, `[IPV6]:PORT`, and the same behind `ws://` or `wss://`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |reason| Error::BadAddress { address: text.to_owned(), reason };
        let (tls, rest) = match text.split_once("://") {
            None => (false, text),
            Some(("ws" | "http", rest)) => (false, rest),
            Some(("wss" | "https", rest)) => (true, rest),
            Some(_) => return Err(refuse("only `ws://` and `wss://` are known")),
        };
        let rest = rest.trim_end_matches('/');
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            // An IPv6 address has colons of its own.
            None if rest.matches(':').count() > 1 => (rest, None),
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(refuse("a name or an IP address has to come first"));
        }
        let port = port.map_or(Ok(DEFAULT_PORT), str::parse);
        let port = port.map_err(|_| refuse("the port is a number up to 65535"))?;
        Ok(Self { host: host.to_owned(), port, tls })
    }
}

impl Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(formatter, "[{host}]:{port}")
        } else {
            write!(formatter, "{host}:{port}")
        }
    }
}

/// How a client reaches a host.
///
/// ```
/// use memlane_net::client::Options;
/// use std::time::Duration;
/// let options = Options::new().name("viewer 2.1").patience(Duration::from_secs(30));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    pub(super) name: String,
    pub(super) token: Token,
    pub(super) fingerprint: Option<String>,
    pub(super) tls: bool,
    pub(super) patience: Option<Duration>,
    pub(super) remote: bool,
}

/// Where the token comes from. It is looked up again for each connection: a host that was started anew may have
/// another.
#[derive(Clone)]
pub(super) enum Token {
    Given(String),
    File(PathBuf),
    Environment,
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl Options {
    /// A token from the environment, no TLS, and patience without end.
    pub fn new() -> Self {
        let name = std::env::current_exe().ok();
        let name = name.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        Self {
            name: name.unwrap_or_else(|| "memlane".into()),
            token: Token::Environment,
            fingerprint: None,
            tls: false,
            patience: None,
            remote: false,
        }
    }

    /// What people see in the host's list of who is connected; the program's name unless said otherwise.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What the host printed when it started. Without it, `MEMLANE_TOKEN`, or else the file named by
    /// `MEMLANE_TOKEN_FILE`.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Token::Given(token.into());
        self
    }

    /// A file that holds the token.
    pub fn token_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.token = Token::File(file.into());
        self
    }

    /// TLS, with exactly the certificate that has this SHA-256 fingerprint: 64 hexadecimal digits, with colons or
    /// without, as the host printed it.
    pub fn fingerprint(mut self, fingerprint: impl Into<String>) -> Self {
        (self.fingerprint, self.tls) = (Some(fingerprint.into()), true);
        self
    }

    /// TLS, with a certificate that a known authority vouches for, unless a fingerprint is given.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// For how long a call goes on without a connection, while the client tries to get one; without end unless said
    /// otherwise.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Does not try to prove that it is on the host's machine: everything goes through the host, and a token is needed.
    pub fn remote(mut self) -> Self {
        self.remote = true;
        self
    }
}

impl Token {
    /// The token, if there is one.
    pub(super) fn get(&self) -> Result<Option<String>, Error> {
        let file = match self {
            Self::Given(token) => return Ok(Some(token.clone())),
            Self::File(file) => file.clone(),
            Self::Environment => match (std::env::var(TOKEN_VARIABLE), std::env::var_os(TOKEN_FILE_VARIABLE))
            {
                (Ok(token), _) if !token.is_empty() => return Ok(Some(token)),
                (_, Some(file)) if !file.is_empty() => file.into(),
                _ => return Ok(None),
            },
        };
        let read = std::fs::read_to_string(&file);
        let token = read.map_err(|error| Error::Token { file, reason: error.to_string() })?;
        Ok(Some(token.trim().to_owned()))
    }
}

/// Tokens are not for logs.
impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => formatter.write_str("Given(…)"),
            Self::File(file) => formatter.debug_tuple("File").field(file).finish(),
            Self::Environment => formatter.write_str("Environment"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let read =
            |text: &str| text.parse::<Address>().map(|address| (address.host, address.port, address.tls));
        assert_eq!(read("lab").unwrap(), ("lab".into(), 7440, false));
        assert_eq!(read("lab:80").unwrap(), ("lab".into(), 80, false));
        assert_eq!(read("wss://lab:80/").unwrap(), ("lab".into(), 80, true));
        assert_eq!(read("::1").unwrap(), ("::1".into(), 7440, false));
        assert_eq!(read("[fe80::1]:9").unwrap(), ("fe80::1".into(), 9, false));
        for bad in ["", ":80", "lab:eighty", "lab:70000", "ftp://lab", "a b"] {
            assert!(matches!(read(bad), Err(Error::BadAddress { .. })), "{bad}");
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let options = Options::new().token("sesame");
        assert!(!format!("{options:?}").contains("sesame"));
        assert_eq!(options.token.get().unwrap().as_deref(), Some("sesame"));
    }
}
