//! `memlane sem acquire|release|value ID`.
//!
//! Permits are held by a process and return with it, so `acquire` of such a semaphore runs a command with them, as
//! `flock` does. Tokens of a signal semaphore are simply taken and given.

use std::process::Command;
use std::time::Duration;

use memlane::Kind;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::human;
use crate::source::Source;

/// Take permits or tokens of a semaphore, give tokens, or see how it stands
#[derive(Debug, clap::Subcommand)]
pub(crate) enum SemaphoreCommand {
    /// Take a token; or take permits, run a command, and give them back
    Acquire {
        /// The semaphore
        id: String,
        /// How many permits
        #[arg(short = 'n', long, value_name = "N", default_value_t = 1)]
        count: u32,
        /// How long to wait; for ever unless said
        #[arg(long, value_name = "TIME", value_parser = human::parse_duration)]
        timeout: Option<Duration>,
        /// The command to run while the permits are held, with its arguments; its exit code becomes this one's
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Give tokens
    Release {
        /// The semaphore
        id: String,
        /// How many
        #[arg(default_value_t = 1)]
        count: u32,
    },
    /// Print how many permits are free, or how many tokens there are
    Value {
        /// The semaphore
        id: String,
    },
}

impl SemaphoreCommand {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let (Self::Acquire { id, .. } | Self::Release { id, .. } | Self::Value { id }) = self;
        let source = context.source_of(id)?;
        let seen = source.see(id)?;
        if seen.kind != Kind::Semaphore {
            let message = format!("region `{id}` is a {}, and no semaphore", seen.kind);
            return Err(Failure::new(Exit::Mismatch, message));
        }
        let is_owned = seen.sight.json(id)?["owned"] == true;
        match self {
            Self::Value { .. } if context.json() => context.print(seen.sight.document(id)?),
            Self::Value { .. } => context.print(&seen.sight.json(id)?["free"]),
            Self::Release { .. } if is_owned => Err(Failure::new(
                Exit::Mismatch,
                format!("the permits of semaphore `{id}` are given back by who holds them, or by its end"),
            )),
            Self::Release { count, .. } => {
                source.raise(id, *count)?;
                report(context, source, id)
            }
            Self::Acquire { count, timeout, command, .. } if is_owned => {
                let [program, arguments @ ..] = command.as_slice() else {
                    return Err(Failure::new(
                        Exit::Usage,
                        "permits return with the process that holds them: give the command to run with them, after --",
                    ));
                };
                source.with_permits(id, *count, *timeout, || run(program, arguments))
            }
            Self::Acquire { count, timeout, command, .. } => {
                if *count != 1 || !command.is_empty() {
                    let message =
                        format!("semaphore `{id}` passes tokens: one is taken at a time, and nobody owns it");
                    return Err(Failure::new(Exit::Usage, message));
                }
                source.take_token(id, *timeout)?;
                report(context, source, id)
            }
        }
    }
}

fn report(context: &Context, source: &Source, id: &str) -> Outcome {
    if !context.json() {
        return Ok(());
    }
    let value = source.see(id)?.sight.json(id)?["free"].take();
    context.print(json!({"id": id, "value": value}))
}

/// Runs a command while this process holds the permits.
fn run(program: &str, arguments: &[String]) -> Outcome {
    let failed = |error| Failure::new(Exit::Failure, format!("`{program}` cannot be run: {error}"));
    let status = Command::new(program).args(arguments).status().map_err(failed)?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::told(u8::try_from(code).unwrap_or(Exit::Failure as u8))),
        None => Err(Failure::new(Exit::Failure, format!("`{program}` was ended by a signal: {status}"))),
    }
}
