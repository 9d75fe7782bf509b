//! What every command is given: the space it works in, and how to print.
//!
//! Results go to the standard output, messages about them to the standard error. Output that nobody reads any
//! more (`memlane ls | head`) ends the command quietly.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, IsTerminal, Stderr, Stdout, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use memlane::Space;
use memlane_net::client::{Client, Mode, Options};
use serde_json::Value;

use crate::failure::{Exit, Failure, Outcome};
use crate::human;
use crate::source::Source;
use crate::table::Table;

/// How long a command waits for a host that is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// The space chosen, opened when first asked for, and the settings of the output.
#[derive(Debug)]
pub(crate) struct Context {
    directory: Option<PathBuf>,
    remote: Option<Remote>,
    fingerprint: Option<String>,
    space: OnceCell<Space>,
    source: OnceCell<Source>,
    /// The host of a space that is used directly, for what of it this user may not write.
    through: OnceCell<Source>,
    self_command: Vec<OsString>,
    json: bool,
    colour: bool,
    output: Stdout,
    messages: Stderr,
}

/// The host that the command line names.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) address: String,
    pub(crate) fingerprint: Option<String>,
}

impl Remote {
    /// Without a token it is in the environment, or this is the host's machine.
    pub(crate) fn connect(&self) -> Outcome<Client> {
        let options = Options::new().name("memlane").patience(PATIENCE);
        let options = self.fingerprint.iter().fold(options, Options::fingerprint);
        Ok(Client::connect(&self.address, options)?)
    }
}

impl Context {
    /// `directory`: of the space; without it the user's own. `self_command` starts this program again.
    pub(crate) fn new(
        directory: Option<PathBuf>,
        at: Option<String>,
        fingerprint: Option<String>,
        json: bool,
        self_command: Vec<OsString>,
    ) -> Self {
        let directory = directory.filter(|directory| !directory.as_os_str().is_empty());
        let (output, messages) = (io::stdout(), io::stderr());
        let colour = wants_colour(&output);
        let address = at.filter(|address| !address.is_empty());
        let remote = address.map(|address| Remote { address, fingerprint: fingerprint.clone() });
        let (space, source, through) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self {
            directory,
            remote,
            fingerprint,
            space,
            source,
            through,
            self_command,
            json,
            colour,
            output,
            messages,
        }
    }

    /// The directory of the space, when it was chosen on the command line or in the environment.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The fingerprint that the command line gives.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        self.fingerprint.clone()
    }

    /// A program and its first arguments, which are this program.
    pub(crate) fn self_command(&self) -> &[OsString] {
        &self.self_command
    }

    /// Where the regions are that are looked at or changed: at the host that the command line names, or here.
    pub(crate) fn source(&self) -> Outcome<&Source> {
        self.opened(Self::existing_space)
    }

    /// The same, for commands that make something: here, the directory is made when missing.
    pub(crate) fn new_source(&self) -> Outcome<&Source> {
        self.opened(Self::space)
    }

    /// The same for a command that changes region `id`: one that this user may not write goes through the host, if the
    /// command line names one.
    pub(crate) fn source_of(&self, id: &str) -> Outcome<&Source> {
        let source = self.source()?;
        let through = self.through.get().filter(|through| match through {
            Source::There(client) => client.place(id).mode() == Mode::Remote,
            Source::Here(_) => false,
        });
        Ok(through.unwrap_or(source))
    }

    fn opened(&self, here: impl FnOnce(&Self) -> Outcome<&Space>) -> Outcome<&Source> {
        if let Some(source) = self.source.get() {
            return Ok(source);
        }
        let source = match &self.remote {
            None => Source::Here(here(self)?.clone()),
            Some(remote) => {
                let client = remote.connect()?;
                match client.space().cloned() {
                    None => Source::There(client),
                    // On the host's machine there is hardly a need of it.
                    Some(space) => {
                        let _ = self.through.set(Source::There(client));
                        Source::Here(space)
                    }
                }
            }
        };
        Ok(self.source.get_or_init(|| source))
    }

    /// The space; its directory is made when missing. Of a host, only on its own machine.
    pub(crate) fn space(&self) -> Outcome<&Space> {
        if let Some(space) = self.space.get() {
            return Ok(space);
        }
        if self.remote.is_some() {
            return match self.source()? {
                Source::Here(space) => Ok(self.space.get_or_init(|| space.clone())),
                Source::There(client) => Err(Failure::new(
                    Exit::Usage,
                    format!(
                        "this command works in the memory of its own machine, and that of the host at {} is out of reach: {}; run it there",
                        client.address(),
                        client.why()
                    ),
                )),
            };
        }
        let opened = match &self.directory {
            Some(directory) => Space::at(directory)?,
            None => Space::default()?,
        };
        Ok(self.space.get_or_init(|| opened))
    }

    /// The space, for commands that look or change what is there: a mistyped directory is an error, not a new
    /// space.
    pub(crate) fn existing_space(&self) -> Outcome<&Space> {
        match &self.directory {
            Some(directory)
                if self.remote.is_none()
                    && std::fs::metadata(directory)
                        .is_err_and(|error| error.kind() == io::ErrorKind::NotFound) =>
            {
                let directory = directory.display();
                let message =
                    format!("there is no directory `{directory}`; `memlane create` makes a space there");
                Err(Failure::new(Exit::NotFound, message))
            }
            _ => self.space(),
        }
    }

    /// Whether to print JSON.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether the output is a terminal that shows colours, and its user has not said otherwise (`NO_COLOR`).
    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    /// Columns of the terminal; `None` when the output goes elsewhere.
    pub(crate) fn width(&self) -> Option<usize> {
        let (width, _) = terminal_size::terminal_size_of(&self.output)?;
        Some(usize::from(width.0))
    }

    /// Writes a line to the standard output.
    pub(crate) fn print(&self, line: impl Display) -> Outcome {
        self.write(format!("{line}\n").as_bytes())
    }

    /// Writes bytes as they are to the standard output.
    pub(crate) fn write(&self, bytes: &[u8]) -> Outcome {
        let mut output = self.output.lock();
        output.write_all(bytes)?;
        Ok(output.flush()?)
    }

    /// Writes a listing as a JSON array, one row a line.
    pub(crate) fn print_rows(&self, rows: &[Value]) -> Outcome {
        if rows.is_empty() {
            return self.print("[]");
        }
        let rows: Vec<_> = rows.iter().map(Value::to_string).collect();
        self.print(format_args!("[\n{}\n]", rows.join(",\n")))
    }

    /// Writes a listing as a table.
    pub(crate) fn print_table(&self, table: &Table) -> Outcome {
        self.write(table.render(self.width(), self.colour).as_bytes())
    }

    /// Writes a message for people beside the output. Where nobody listens it is lost, and that is no
    /// failure.
    pub(crate) fn say(&self, message: impl Display) {
        let _ = writeln!(self.messages.lock(), "memlane: {}", human::printable(&message.to_string()));
    }

    /// Says what an empty output means; an empty JSON array says it itself.
    pub(crate) fn remark(&self, message: impl Display) {
        if !self.json {
            self.say(message);
        }
    }

    /// Says why something failed.
    pub(crate) fn complain(&self, failure: &Failure) {
        if let Some(message) = failure.message() {
            self.say(message);
        }
    }
}

fn wants_colour(output: &Stdout) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
    !refused && !dumb && output.is_terminal()
}

/// The exit of a command that goes on after failures: that of the first.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    first: Option<u8>,
}

impl Failures {
    /// Says why this one failed and goes on.
    pub(crate) fn add(&mut self, context: &Context, failure: &Failure) {
        context.complain(failure);
        self.first.get_or_insert(failure.exit());
    }

    pub(crate) fn outcome(self) -> Outcome {
        self.first.map_or(Ok(()), |exit| Err(Failure::told(exit)))
    }
}
