//! What a person can ask for.

use std::str::FromStr;
use std::time::Duration;

const USAGE: &str = "\
options of the chaos suite:
  --minutes N, --seconds N   how long the steady processes are killed (15 seconds unless said; 0 leaves it out)
  --kills N                  how many processes are killed at their regions' births (300 unless said; 0 leaves it out)
  --seed N                   repeats the decisions of an earlier run, not its timing
  --promptness               measures how soon a waiter knows of a death, and nothing else";

const DEFAULT_DURATION: Duration = Duration::from_secs(15);
const DEFAULT_KILLS: u64 = 300;
const SECONDS_PER_MINUTE: f64 = 60.0;

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) duration: Duration,
    pub(crate) kills: u64,
    pub(crate) seed: u64,
    pub(crate) promptness: bool,
}

impl Options {
    /// Reads the command line; the error is for people.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            duration: DEFAULT_DURATION,
            kills: DEFAULT_KILLS,
            seed: u64::from(std::process::id()),
            promptness: false,
        };
        while let Some(option) = arguments.next() {
            match option.as_str() {
                "--minutes" => options.duration = duration(&option, arguments.next(), SECONDS_PER_MINUTE)?,
                "--seconds" => options.duration = duration(&option, arguments.next(), 1.0)?,
                "--kills" => options.kills = value(&option, arguments.next())?,
                "--seed" => options.seed = value(&option, arguments.next())?,
                "--promptness" => options.promptness = true,
                other => return Err(format!("{other} is not known; {USAGE}")),
            }
        }
        Ok(options)
    }
}

fn value<T: FromStr>(option: &str, text: Option<String>) -> Result<T, String> {
    let text = text.ok_or_else(|| format!("{option} wants a number; {USAGE}"))?;
    text.parse().map_err(|_| format!("{option} wants a number, not {text}; {USAGE}"))
}

fn duration(option: &str, text: Option<String>, unit: f64) -> Result<Duration, String> {
    let seconds = value::<f64>(option, text)? * unit;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("{option}: {error}; {USAGE}"))
}
