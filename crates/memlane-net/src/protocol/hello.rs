//! How a conversation begins: the host's hello, the client's, and the welcome or the refusal.
//!
//! The host speaks first and names a challenge. The client proves itself by a token, or by the secret that lies in the
//! host's space, which also proves that it is on the same machine and may use the memory itself. The proof is bound to
//! both ends of the connection, so that nobody can have a client answer another host's challenge. The host proves in
//! turn that it knows the secret: a client uses no memory because a host says so.

use ring::hmac;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

use super::fault::Fault;
use crate::view::document::hexadecimal;

/// The folder of a space, and how the files in it begin, that hold the secrets of its hosts.
pub const SECRET_FOLDER: &str = ".memlane";
/// The most bytes that a secret's file has.
pub const MAX_SECRET: usize = 64;

/// The file in [`SECRET_FOLDER`] that holds the secret of the host at `port`: 64 hexadecimal digits.
#[must_use]
pub fn secret_name(port: u16) -> String {
    format!("host-{port}")
}

/// The first message of all, from the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostHello {
    /// What the host says of itself.
    pub hello: HostDescription,
}

/// What a host says of itself before it knows who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostDescription {
    /// [`super::VERSION`].
    pub protocol: u32,
    /// The program's version.
    pub memlane: String,
    /// The machine's name.
    pub host: String,
    /// This run of the host, in hexadecimal digits: another one has forgotten all sessions.
    pub instance: String,
    /// The directory of the space it serves, for clients that may be on the same machine.
    pub space: String,
    /// The name of the secret's file in the space's [`SECRET_FOLDER`].
    pub secret: String,
    /// To be answered by [`proof`], in hexadecimal digits; another one for each connection.
    pub challenge: String,
}

/// The client's first message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientHello {
    /// What the client says of itself.
    pub hello: ClientDescription,
}

/// What a client says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientDescription {
    /// [`super::VERSION`].
    pub protocol: u32,
    /// The program, for people who look at who is connected.
    #[serde(default)]
    pub client: String,
    /// The token it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The answer to the challenge, instead of a token or beside it: see [`proof`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// The session to go on with; without it a new one begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Another host to be passed on to, whose hello comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
}

/// A host that a client is passed on to by another one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Via {
    /// `HOST` or `HOST:PORT`.
    pub host: String,
    /// Encrypted, with a certificate that a known authority vouches for, unless a fingerprint is given.
    #[serde(default)]
    pub tls: bool,
    /// Encrypted, with the certificate that has this SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// The host's answer to the client's hello.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Requests may follow.
    Welcome(Welcome),
    /// The host closes the connection: now, or, with the same message, later.
    Refused(Fault),
}

/// What a client may do from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// The session's secret id, in hexadecimal digits: to be kept as secret as the token.
    pub session: String,
    /// Whether it is the session that was asked for. If not, what it was asked before is forgotten.
    pub resumed: bool,
    /// What the token gives.
    pub access: Access,
    /// Whether the client proved that it may use the memory itself.
    pub local: bool,
    /// Why, or why not.
    pub why: String,
    /// The host's own [`proof`], when the client's was right. Without it, `local` is not to be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// The most bytes of a message, either way.
    pub max_message: usize,
    /// The most requests that may be unanswered or unacknowledged.
    pub max_in_flight: usize,
    /// For how long the session's leases outlive its connection, in seconds.
    pub grace: f64,
}

/// What a token gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Looking.
    ReadOnly,
    /// Looking and changing.
    ReadWrite,
}

/// The two ends of a connection, as either side sees them: the client's address and port, then the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The client's.
    pub client: SocketAddr,
    /// The host's.
    pub host: SocketAddr,
}

impl Ends {
    fn words(&self) -> String {
        format!("{} {}", plain(self.client), plain(self.host))
    }
}

/// IPv4 as such, also where a socket for both versions dresses it as IPv6.
fn plain(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4),
        ip @ IpAddr::V4(_) => ip,
    };
    format!("{ip} {}", address.port())
}

/// Who proves to know the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prover {
    /// The client, and so that it is on the host's machine.
    Client,
    /// The host, and so that the secret's space is its own.
    Host,
}

impl Prover {
    /// Says what is proved, so that no other use of the secret gives the same answer, nor one side's the other's.
    fn purpose(self) -> &'static str {
        match self {
            Self::Client => "memlane local 1",
            Self::Host => "memlane host 1",
        }
    }
}

/// The answer to a challenge: HMAC-SHA-256, with the secret's file content as the key, of the lines `memlane local 1`
/// (of the host: `memlane host 1`), the instance, the challenge, and the ends (`client-ip client-port host-ip
/// host-port`), in hexadecimal digits.
#[must_use]
pub fn proof(prover: Prover, secret: &[u8], instance: &str, challenge: &str, ends: &Ends) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let claim = format!("{}\n{instance}\n{challenge}\n{}", prover.purpose(), ends.words());
    let tag = hmac::sign(&key, claim.as_bytes());
    hexadecimal(tag.as_ref())
}

/// Whether `answer` is the [`proof`], in a time that does not tell how much of it is right.
#[must_use]
pub fn is_proved(
    prover: Prover,
    secret: &[u8],
    instance: &str,
    challenge: &str,
    ends: &Ends,
    answer: &str,
) -> bool {
    is_same_secret(&proof(prover, secret, instance, challenge, ends), answer)
}

/// Whether two secrets are the same, in a time that depends on neither: their digests under a random key are compared.
#[must_use]
pub fn is_same_secret(one: &str, other: &str) -> bool {
    let Ok(key) = hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new()) else {
        return false;
    };
    let tag = hmac::sign(&key, one.as_bytes());
    hmac::verify(&key, other.as_bytes(), tag.as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(client: &str, host: &str) -> Ends {
        Ends { client: client.parse().unwrap(), host: host.parse().unwrap() }
    }

    #[test]
    fn the_proofs_are_as_the_document_says() {
        // Checked with Python's hmac.
        let ends = ends("127.0.0.1:50000", "127.0.0.1:7440");
        let proof = |prover| proof(prover, b"0123456789abcdef", "aa", "bb", &ends);
        assert_eq!(proof(Prover::Client), "cf7a4605e1768b77ff1779ab5734de9229e2337d29178b67989c077513327c91");
        assert_eq!(proof(Prover::Host), "d2db9cdcd8362230683f11617eaf535ab6bd58ef918b4cdc325ca09c711a6ae7");
    }

    #[test]
    fn mapped_addresses_are_the_same() {
        let (one, other) =
            (ends("127.0.0.1:5", "127.0.0.1:7440"), ends("[::ffff:127.0.0.1]:5", "[::ffff:127.0.0.1]:7440"));
        let answer = proof(Prover::Client, b"s", "i", "c", &one);
        assert!(is_proved(Prover::Client, b"s", "i", "c", &other, &answer));
    }

    #[test]
    fn a_proof_holds_for_one_side_of_one_connection_of_one_host() {
        let here = ends("10.0.0.1:5", "10.0.0.2:7440");
        for (prover, other) in [(Prover::Client, Prover::Host), (Prover::Host, Prover::Client)] {
            let answer = proof(prover, b"s", "i", "c", &here);
            assert!(is_proved(prover, b"s", "i", "c", &here, &answer));
            assert!(!is_proved(other, b"s", "i", "c", &here, &answer));
            assert!(!is_proved(prover, b"t", "i", "c", &here, &answer));
            assert!(!is_proved(prover, b"s", "j", "c", &here, &answer));
            assert!(!is_proved(prover, b"s", "i", "d", &here, &answer));
            assert!(!is_proved(prover, b"s", "i", "c", &ends("10.0.0.1:6", "10.0.0.2:7440"), &answer));
            assert!(!is_proved(prover, b"s", "i", "c", &ends("10.0.0.1:5", "10.0.0.3:7440"), &answer));
            assert!(!is_proved(prover, b"s", "i", "c", &here, ""));
        }
    }

    #[test]
    fn replies_are_told_apart_by_their_name() {
        let refused = Reply::Refused(Fault::new("unauthorised", "the token is wrong"));
        assert_eq!(
            serde_json::to_value(&refused).unwrap(),
            serde_json::json!({"refused": {"code": "unauthorised", "message": "the token is wrong"}})
        );
    }
}
