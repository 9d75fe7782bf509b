//! Who may do what: tokens, the proof of being local, and which regions are shared.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::HostError;
use super::secret::{Vault, random};
use super::watcher::locked;
use crate::protocol::fault::{self, Fault};
use crate::protocol::hello::{self, Access, ClientDescription, Ends, Prover};
use crate::protocol::operation::Operation;
use crate::view::pattern::is_wanted;

/// Bytes of a token that is made.
const TOKEN_BYTES: usize = 16;
/// A token that is given has at least so many characters.
const SHORTEST_TOKEN: usize = 8;
/// The rights of everybody but a file's owner.
const OTHERS: u32 = 0o077;
/// Begins the line of a token in a file.
const NAMES: [(&str, Access); 2] = [("read-write", Access::ReadWrite), ("read-only", Access::ReadOnly)];

/// Fields of answers and events that list regions.
const LISTINGS: [&str; 7] = ["regions", "participants", "locks", "edges", "findings", "changed", "gone"];

/// The words that let a client in.
///
/// A host makes two at random when it first starts, and keeps them in its space for the next time. In a file or a text
/// they are lines `read-write TOKEN` and `read-only TOKEN`; a line with a token alone is one for reading and writing.
///
/// ```
/// use memlane_net::host::Tokens;
/// let tokens: Tokens = "read-write correct-horse\nread-only battery-staple\n".parse()?;
/// assert_eq!(tokens.read_only(), Some("battery-staple"));
/// assert!("short".parse::<Tokens>().is_err());
/// # Ok::<(), memlane_net::host::HostError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tokens {
    read_write: Option<String>,
    read_only: Option<String>,
}

impl Tokens {
    /// From a file that its owner alone may read.
    pub fn from_file(path: &Path) -> Result<Self, HostError> {
        let failed = |error| HostError::TokenFile(path.to_owned(), error);
        let mut file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.mode() & OTHERS != 0 {
            return Err(failed(io::Error::other(
                "others may read it too: `chmod 600` it, and take new tokens",
            )));
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        text.parse()
    }

    /// For reading and writing.
    pub fn read_write(&self) -> Option<&str> {
        self.read_write.as_deref()
    }

    /// For reading.
    pub fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// The one that allows most: for writing if there is one.
    pub fn most(&self) -> Option<&str> {
        self.read_write().or(self.read_only())
    }

    /// Made at random.
    pub(super) fn random() -> Result<Self, HostError> {
        let token = || random(TOKEN_BYTES).map(Some).map_err(HostError::Random);
        Ok(Self { read_write: token()?, read_only: token()? })
    }

    /// Those that the host at `port` had before, else new ones, which are kept.
    pub(super) fn kept(vault: &Vault, port: u16) -> Result<Self, HostError> {
        let name = format!("tokens-{port}");
        if let Some(kept) = vault.read(&name).and_then(|text| text.parse().ok()) {
            return Ok(kept);
        }
        let tokens = Self::random()?;
        vault.write(&name, &tokens.lines())?;
        Ok(tokens)
    }

    fn lines(&self) -> String {
        let line = |(name, token): (&str, &Option<String>)| Some(format!("{name} {}\n", token.as_ref()?));
        [("read-write", &self.read_write), ("read-only", &self.read_only)]
            .into_iter()
            .filter_map(line)
            .collect()
    }

    /// What `given` gives.
    pub(super) fn access(&self, given: &str) -> Option<Access> {
        let is = |token: &Option<String>| {
            token.as_deref().is_some_and(|token| hello::is_same_secret(token, given))
        };
        // Both are compared, so that the time does not tell which one it was.
        let (writes, reads) = (is(&self.read_write), is(&self.read_only));
        match (writes, reads) {
            (true, _) => Some(Access::ReadWrite),
            (false, true) => Some(Access::ReadOnly),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tokens(…)")
    }
}

impl std::str::FromStr for Tokens {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let mut tokens = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let named = NAMES.iter().find_map(|(name, access)| Some((line.strip_prefix(name)?, *access)));
            let (token, access) = match named {
                Some((rest, access)) if rest.starts_with(' ') => (rest.trim(), access),
                _ => (line, Access::ReadWrite),
            };
            if token.len() < SHORTEST_TOKEN || token.contains(char::is_whitespace) {
                return Err(HostError::Tokens);
            }
            match access {
                Access::ReadWrite => tokens.read_write = Some(token.into()),
                Access::ReadOnly => tokens.read_only = Some(token.into()),
            }
        }
        if tokens == Self::default() { Err(HostError::Tokens) } else { Ok(tokens) }
    }
}

/// How long a ticket is good.
const TICKET_TIME: Duration = Duration::from_mins(1);
/// So many are good at once; older ones are forgotten.
const TICKETS: usize = 16;

/// Words that let a browser in once: unlike a token, one may stand on a command line, which every user of the machine
/// can see.
#[derive(Debug, Default)]
pub(super) struct Tickets(Mutex<VecDeque<(String, Instant)>>);

impl Tickets {
    /// A new one.
    pub(super) fn issue(&self) -> io::Result<String> {
        let ticket = random(TOKEN_BYTES)?;
        let mut tickets = locked(&self.0);
        tickets.truncate(TICKETS - 1);
        tickets.push_front((ticket.clone(), Instant::now()));
        Ok(ticket)
    }

    /// Whether it is good; it is so no more.
    pub(super) fn redeem(&self, given: &str) -> bool {
        let mut tickets = locked(&self.0);
        tickets.retain(|(_, issued)| issued.elapsed() < TICKET_TIME);
        let before = tickets.len();
        tickets.retain(|(ticket, _)| !hello::is_same_secret(ticket, given));
        tickets.len() < before
    }
}

/// What a host asks of those who come.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) tokens: Tokens,
    pub(super) tickets: Tickets,
    /// The content of the secret's file.
    pub(super) secret: String,
    pub(super) instance: String,
    /// Nobody may change anything.
    pub(super) read_only: bool,
    /// Only these regions; all when empty.
    pub(super) only: Vec<String>,
    /// What this machine is called, beside its addresses.
    pub(super) names: Vec<String>,
}

/// What somebody was let in for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) access: Access,
    pub(super) local: bool,
    pub(super) why: String,
    /// The host's own, for a client that proved itself.
    pub(super) proof: Option<String>,
}

impl Gate {
    /// Lets a client in, or not.
    pub(super) fn enter(
        &self,
        client: &ClientDescription,
        challenge: &str,
        ends: &Ends,
    ) -> Result<Entry, Fault> {
        let (secret, instance) = (self.secret.as_bytes(), &self.instance);
        let proved = |proof: &str| hello::is_proved(Prover::Client, secret, instance, challenge, ends, proof);
        if client.proof.as_deref().is_some_and(proved) {
            return Ok(self.local(hello::proof(Prover::Host, secret, instance, challenge, ends)));
        }
        let access = client.token.as_deref().and_then(|token| self.tokens.access(token));
        let why = match (&client.proof, &client.token) {
            (Some(_), _) => {
                "the proof is not right: the secret is another one, or addresses are translated on the way"
            }
            (None, Some(_)) => "no proof that the client is on the host's machine",
            (None, None) => "there is neither a token nor a proof",
        };
        let Some(access) = access else {
            let found = if client.token.is_some() { "the token is not right" } else { why };
            let message = format!("{found}; expected the token that the host printed when it started");
            return Err(Fault::new(fault::UNAUTHORISED, message));
        };
        Ok(Entry { access: self.at_most(access), local: false, why: why.into(), proof: None })
    }

    /// Lets in whoever sent this token beside an HTTP request.
    pub(super) fn enter_by_token(&self, token: &str) -> Option<Access> {
        self.tokens.access(token).map(|access| self.at_most(access))
    }

    /// For who proved itself; `proof` is the host's own.
    fn local(&self, proof: String) -> Entry {
        let access = self.at_most(Access::ReadWrite);
        let (local, why) = if self.read_only {
            (false, "it is the host's machine and user, but the host is for looking only")
        } else if self.only.is_empty() {
            (true, "the client proved that it is on the host's machine and of the host's user")
        } else {
            (false, "it is the host's machine and user, but the host shares some of its regions only")
        };
        Entry { access, local, why: why.into(), proof: Some(proof) }
    }

    fn at_most(&self, access: Access) -> Access {
        if self.read_only { Access::ReadOnly } else { access }
    }

    /// Whether this access is for more than looking: for changes, and for being passed on in this machine's name.
    pub(super) fn admit_change(&self, access: Access) -> Result<(), Fault> {
        if access == Access::ReadOnly {
            let whose = if self.read_only { "this host is" } else { "this token is" };
            return Err(Fault::new(fault::READ_ONLY, format!("{whose} for looking only")));
        }
        Ok(())
    }

    /// Whether `operation` may be done with this access.
    pub(super) fn admit(&self, access: Access, operation: &Operation) -> Result<(), Fault> {
        if operation.access() == Access::ReadWrite {
            self.admit_change(access)?;
        }
        let reaches_beyond = matches!(
            operation,
            Operation::Doctor { fix: true } | Operation::Foreign | Operation::ForeignRead { .. }
        );
        if reaches_beyond && !self.only.is_empty() {
            return Err(Fault::new(fault::NOT_SHARED, "the host shares some of its regions only"));
        }
        match operation.id() {
            Some(id) if !self.shares(id) => {
                Err(Fault::new(fault::NOT_SHARED, format!("the host does not share `{id}`")))
            }
            _ => Ok(()),
        }
    }

    /// Whether clients may know of this region. Names that begin with a dot are memlane's own.
    pub(super) fn shares(&self, id: &str) -> bool {
        !id.split('/').any(|part| part.starts_with('.')) && is_wanted(&self.only, id)
    }

    /// Takes what is not shared out of listings: rows with an `id`, and ids alone. Whether there was any.
    pub(super) fn conceal(&self, fields: &mut Map<String, Value>) -> bool {
        if self.only.is_empty() {
            return false;
        }
        let mut concealed = false;
        for name in LISTINGS {
            let Some(rows) = fields.get_mut(name).and_then(Value::as_array_mut) else { continue };
            let before = rows.len();
            rows.retain(|row| {
                let id = row.as_str().or_else(|| row.get("id").and_then(Value::as_str));
                id.is_none_or(|id| self.shares(id))
            });
            concealed |= rows.len() < before;
        }
        concealed
    }

    /// Whether a request that names the host so, and comes from a page of that origin if from any, is to be answered:
    /// a page elsewhere that had its own name resolve to this machine's address (DNS rebinding) names another host.
    pub(super) fn checks(&self, host: Option<&str>, origin: Option<&str>) -> Result<(), Fault> {
        let host = host.unwrap_or_default();
        let refused = |message: String| Err(Fault::new(fault::UNAUTHORISED, message));
        if !self.is_here(host) {
            return refused(format!(
                "`{host}` is neither an address nor a name of this machine; use its address, or start the host with that name"
            ));
        }
        let own =
            |origin: &str| origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host));
        match origin {
            Some(origin) if !own(origin) => {
                refused(format!("a page of `{origin}` may not talk to this host"))
            }
            _ => Ok(()),
        }
    }

    fn is_here(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(address) => return address.split(']').next().is_some_and(|ip| ip.parse::<IpAddr>().is_ok()),
            None => host.split(':').next().unwrap_or_default(),
        };
        let names = self.names.iter().map(String::as_str).chain(["localhost"]);
        name.parse::<IpAddr>().is_ok() || names.into_iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}
