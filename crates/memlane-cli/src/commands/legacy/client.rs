//! `memlane legacy client HOST:PORT ID read|write|watch`: a text that the original shares, or memlane's host.
//!
//! `--json` prints of `read`: `mode` (local or remote), `why`, `content`, `bytes`, `limit`; of `write`: `mode`,
//! `bytes`, `limit`; of `watch` one object a line: `time`, `content`, `bytes`, `limit`.

use std::io::{self, Read};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use memlane_interop::text_block::{TEXT_BYTES_MAX, trimmed};
use memlane_net::legacy::{Client, Error};
use serde_json::json;
use tokio::time::sleep;

use super::runtime;
use crate::context::Context;
use crate::document;
use crate::failure::{Exit, Failure, Outcome, unreadable_text};
use crate::human;

const THIS_MACHINE: &str = "127.0.0.1";
const STANDARD_INPUT: &str = "-";
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// Read and write the text of a host, the original or memlane's
///
/// Goes through this machine's memory where the block is in it, else over the network. Exit codes: 3 when nobody
/// listens there or the host has stopped, 5 when the id is another's or the text does not fit, 6 when the host or
/// the lock takes too long.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The host's address and port; a port alone is one of this machine
    #[arg(value_name = "HOST:PORT", value_parser = parse_address)]
    address: String,

    /// The id that the host shows (its shm_id)
    id: String,

    /// Over the network, also where the text is in this machine's memory
    #[arg(long)]
    remote: bool,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print the text
    Read,
    /// Replace the text
    Write {
        /// The new text, up to 4091 bytes; white space at its end is left out; - reads the standard input
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// Only if the text is still this one; else it is printed, and the exit code is 5
        #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
        if_text: Option<String>,
    },
    /// Print the text, and again whenever it has changed
    Watch {
        /// End after so many texts
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        /// The time between two looks
        #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = human::parse_duration)]
        interval: Duration,
        /// When the connection is lost, connect again, as long as it takes
        #[arg(long)]
        reconnect: bool,
    },
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        runtime()?.block_on(async {
            let mut client = self.connect().await?;
            match &self.action {
                Action::Read => read(context, &mut client).await,
                Action::Write { text, if_text } => {
                    write(context, &mut client, text, if_text.as_deref()).await
                }
                Action::Watch { count, interval, reconnect } => {
                    let mut watch = Watch { context, seen: None, printed: 0, limit: *count };
                    loop {
                        match watch.run(&mut client, *interval).await {
                            Err(error) if *reconnect && is_loss(&error) => {
                                context.say(error);
                                client = self.reconnect().await?;
                            }
                            Err(error) => return Err(error.into()),
                            Ok(outcome) => return outcome,
                        }
                    }
                }
            }
        })
    }

    async fn connect(&self) -> Result<Client, Error> {
        let mut client = Client::connect(&self.address, &self.id).await?;
        if self.remote {
            client.use_network();
        }
        Ok(client)
    }

    async fn reconnect(&self) -> Result<Client, Error> {
        loop {
            sleep(RECONNECT_PAUSE).await;
            match self.connect().await {
                Err(error) if is_loss(&error) => {}
                connected => return connected,
            }
        }
    }
}

/// Whether it may be better after another connection.
fn is_loss(error: &Error) -> bool {
    matches!(
        error,
        Error::Connect { .. } | Error::Closed { .. } | Error::Timeout { .. } | Error::Abandoned { .. }
    )
}

async fn read(context: &Context, client: &mut Client) -> Outcome {
    let text = client.read().await?;
    if context.json() {
        let way = json!({"mode": client.mode().to_string(), "why": client.why()});
        return context.print(document::merged(way, content(&text)));
    }
    context.print(text)
}

async fn write(context: &Context, client: &mut Client, text: &str, expected: Option<&str>) -> Outcome {
    let text = if text == STANDARD_INPUT { standard_input()? } else { text.to_owned() };
    let written = match expected {
        Some(expected) => client.write_if(expected, &text).await?,
        None => client.write(&text).await.map(Ok)?,
    };
    if let Err(found) = written {
        context.print(found)?;
        let message = "the text was not changed: expected another one, found what is printed";
        return Err(Failure::new(Exit::Mismatch, message));
    }
    let bytes = trimmed(&text).len();
    if context.json() {
        let mode = client.mode().to_string();
        return context.print(json!({"mode": mode, "bytes": bytes, "limit": TEXT_BYTES_MAX}));
    }
    context.print(format_args!("{bytes} / {TEXT_BYTES_MAX} bytes"))
}

/// What was printed of a text that changes.
struct Watch<'a> {
    context: &'a Context,
    seen: Option<String>,
    printed: u64,
    limit: Option<u64>,
}

impl Watch<'_> {
    /// Prints each change until so many are printed, the output has failed, or the host.
    async fn run(&mut self, client: &mut Client, interval: Duration) -> Result<Outcome, Error> {
        while self.limit.is_none_or(|limit| self.printed < limit) {
            let text = client.read().await?;
            if self.seen.as_ref() == Some(&text) {
                sleep(interval).await;
            } else if let Err(failure) = self.print(text) {
                return Ok(Err(failure));
            }
        }
        Ok(Ok(()))
    }

    fn print(&mut self, text: String) -> Outcome {
        if self.context.json() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let time = json!({"time": human::rfc3339(now.as_nanos() as u64)});
            self.context.print(document::merged(time, content(&text)))?;
        } else {
            self.context.print(&text)?;
        }
        self.seen = Some(text);
        self.printed += 1;
        Ok(())
    }
}

fn content(text: &str) -> serde_json::Value {
    json!({"content": text, "bytes": text.len(), "limit": TEXT_BYTES_MAX})
}

fn standard_input() -> Outcome<String> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).map_err(|error| unreadable_text(&error))?;
    Ok(text)
}

fn parse_address(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    if port.parse::<u16>().is_err() {
        return Err(format!("`{port}` is no port; an address is like 192.168.1.5:7000"));
    }
    let host = if host.is_empty() { THIS_MACHINE } else { host };
    Ok(format!("{host}:{port}"))
}
