//! `memlane host`: serves the space's regions to clients on other machines.
//!
//! `--json` prints one line when clients can connect: `space`, `address`, `port`, `reach` (`ADDRESS:PORT` for other
//! machines), `url` (of the page, with a token),
//! `read_write` and `read_only` (the tokens, null for one that there is not), `fingerprint` (null without TLS).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::ValueEnum;
use memlane_net::client::TOKEN_VARIABLE;
use memlane_net::discovery::Announcement;
use memlane_net::host::{Host, HostError, Running, Tls, Tokens};
use memlane_net::machine;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};

/// Serve the regions to other machines
///
/// Prints where, and the tokens that let clients in; they stay the same the next time. Without --token-file, the
/// variable MEMLANE_TOKEN can give a token for reading and writing. Ends in good order by Ctrl-C or SIGTERM: what
/// clients hold is given back.
#[derive(Debug, clap::Args)]
pub(crate) struct HostCommand {
    /// Where to listen, 127.0.0.1 unless said; 0.0.0.0 is every address of this machine, port 0 one that is free
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    listen: Option<String>,

    /// Let nobody change anything
    #[arg(long)]
    read_only: bool,

    /// Share only these regions: an id, a folder, or a pattern such as 'robot/*'; may be given again
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,

    /// Encrypt, by a certificate that is made once and kept; clients know it by its fingerprint
    #[arg(long)]
    tls: bool,

    /// Encrypt, by the certificate in this PEM file
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "tls")]
    certificate: Option<PathBuf>,

    /// The certificate's key, a PEM file
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,

    /// Take the tokens from a file of mode 0600: lines `read-write TOKEN`, `read-only TOKEN`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Another name by which clients reach this machine, beside its addresses; may be given again
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,

    /// Let others in this network find it by `memlane discover` (mDNS)
    #[arg(long)]
    announce: bool,

    /// Write a line to the standard error for each client, each refusal and each request that changes something
    #[arg(long, value_name = "FORMAT")]
    log: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// What to do when the port is taken that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Fail,
    GoElsewhere,
}

impl HostCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        self.serve(context, Taken::Fail, |running| present(context, running))
    }

    /// Whether nothing was asked of it that a host which runs already may not do.
    pub(crate) fn is_plain(&self) -> bool {
        let has_certificate = self.tls || self.certificate.is_some();
        let is_limited = self.read_only || !self.only.is_empty();
        let is_set = self.listen.is_some() || self.token_file.is_some() || !self.name.is_empty();
        !(has_certificate || is_limited || is_set || self.announce || self.log.is_some())
    }

    /// Serves until a signal ends it; `present` says where.
    pub(crate) fn serve(
        self,
        context: &Context,
        taken: Taken,
        present: impl FnOnce(&Running) -> Outcome,
    ) -> Outcome {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(|error| Failure::new(Exit::Failure, format!("signals cannot be caught: {error}")))?;
        if let Some(format) = self.log {
            start_log(format);
        }
        raise_file_limit();
        let announces = self.announce;
        let may_move = taken == Taken::GoElsewhere && self.listen.is_none();
        let host = self.host(context)?;
        let running = match host.clone().start() {
            Err(error) if may_move && is_taken(&error) => {
                host.listen((Ipv4Addr::LOCALHOST, 0).into()).start()
            }
            started => started,
        };
        let running = running.map_err(failure)?;
        let announcement = announces.then(|| announcement(&running)).transpose()?;
        present(&running)?;
        signals.forever().next();
        drop(announcement);
        running.stop().map_err(failure)
    }

    fn host(self, context: &Context) -> Outcome<Host> {
        let mut host = Host::new(context.space()?.clone()).only(self.only);
        if let Some(listen) = self.listen {
            host = host.listen(resolved(&listen)?);
        }
        if let Some(tokens) = tokens(self.token_file)? {
            host = host.tokens(tokens);
        }
        if self.tls {
            host = host.tls(Tls::self_made());
        }
        if let (Some(certificate), Some(key)) = (self.certificate, self.key) {
            host = host.tls(Tls::from_files(&certificate, &key).map_err(failure)?);
        }
        if self.read_only {
            host = host.read_only();
        }
        Ok(self.name.into_iter().fold(host, Host::name))
    }
}

fn announcement(running: &Running) -> Outcome<Announcement> {
    Announcement::new(&machine::name(), running.address(), running.fingerprint().is_some())
        .map_err(|error| Failure::new(Exit::Failure, error))
}

/// Says where the host is and what lets clients in.
pub(crate) fn present(context: &Context, running: &Running) -> Outcome {
    let (address, tokens) = (running.address(), running.tokens());
    let reach = machine::reached_at(address);
    let space = context.space()?.directory();
    if context.json() {
        return context.print(json!({
            "space": space,
            "address": address.ip().to_string(),
            "port": address.port(),
            "reach": reach.to_string(),
            "url": running.url(),
            "read_write": tokens.read_write(),
            "read_only": tokens.read_only(),
            "fingerprint": running.fingerprint(),
        }));
    }
    context.print(format_args!("serving {} at {address}", space.display()))?;
    context.print(format_args!("  page             {}", running.url()))?;
    if let Some(token) = tokens.read_write() {
        context.print(format_args!("  token            {token}"))?;
    }
    if let Some(token) = tokens.read_only() {
        context.print(format_args!("  token to look    {token}"))?;
    }
    if let Some(fingerprint) = running.fingerprint() {
        context.print(format_args!("  fingerprint      {fingerprint}"))?;
    }
    if address.ip().is_loopback() {
        context.print("only this machine can connect; `--listen 0.0.0.0` lets others in")?;
    } else {
        let token = tokens.most().unwrap_or_default();
        let pin = running.fingerprint().map(|fingerprint| format!(" --fingerprint {fingerprint}"));
        context.print("on the other machine:")?;
        context.print(format_args!(
            "  {TOKEN_VARIABLE}={token} memlane connect {reach}{}",
            pin.unwrap_or_default()
        ))?;
        if running.fingerprint().is_none() {
            context.say("NOT ENCRYPTED: whoever sees the packets sees contents and tokens; `--tls` encrypts");
        }
    }
    Ok(())
}

fn resolved(listen: &str) -> Outcome<SocketAddr> {
    machine::listening(listen).map_err(|why| Failure::new(Exit::Usage, why))
}

fn tokens(file: Option<PathBuf>) -> Outcome<Option<Tokens>> {
    if let Some(file) = file {
        return Tokens::from_file(&file).map(Some).map_err(failure);
    }
    let given = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty());
    given.map(|token| token.parse()).transpose().map_err(failure)
}

/// A connection is a file, and a region that is looked into: as many as the system lets this user have.
pub(crate) fn raise_file_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

fn start_log(format: LogFormat) {
    let lines = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).with_target(false);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}

fn is_taken(error: &HostError) -> bool {
    matches!(error, HostError::Listen(_, cause) if cause.kind() == io::ErrorKind::AddrInUse)
}

pub(crate) fn failure(error: HostError) -> Failure {
    let exit = match &error {
        error if is_taken(error) => Exit::Busy,
        HostError::Tokens | HostError::Certificate(_) => Exit::Usage,
        HostError::TokenFile(_, cause) if cause.kind() == io::ErrorKind::NotFound => Exit::NotFound,
        HostError::File(_, cause) | HostError::Listen(_, cause)
            if cause.kind() == io::ErrorKind::PermissionDenied =>
        {
            Exit::Permission
        }
        _ => Exit::Failure,
    };
    Failure::new(exit, error)
}
