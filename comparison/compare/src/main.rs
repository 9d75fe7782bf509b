//! Measures memlane and its peers in turn, and kills their processes to see what becomes of the others.

#![forbid(unsafe_code)]

mod comparison;
mod comparisons;
mod deaths;
mod failed;
mod figure;
mod interrupt;
mod lines;
mod machine;
mod measurement;
mod peers;
mod place;
mod plot;
mod report;
#[cfg(test)]
mod script;
mod sides;
mod spread;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use serde_json::Value;

use crate::machine::Machine;
use crate::measurement::{Effort, measure};
use crate::peers::{Peers, Way};
use crate::report::{Compared, Killed};

#[derive(Parser)]
#[command(about = "Measures memlane and its peers in turn")]
struct Arguments {
    /// The programs of the peers: each is named `peer-` and what the report calls it
    #[arg(required = true)]
    programs: Vec<PathBuf>,

    /// A peer without a program, and why: `boost=does not build: …`
    #[arg(long, value_name = "NAME=WHY", value_parser = name_and_why)]
    absent: Vec<(String, String)>,

    /// Shorter and rough
    #[arg(long)]
    quick: bool,

    /// Only what has this in its name
    #[arg(long, value_name = "WORD", default_value = "")]
    only: String,

    /// A line of JSON for each row, with the figure of each round
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Keep the report, the lines of JSON and the plots in this directory
    #[arg(long, value_name = "DIRECTORY")]
    save: Option<PathBuf>,

    /// How often each is measured
    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

const ROUND: Duration = Duration::from_millis(100);
const KILLS: u64 = 10;

/// For `--quick`.
const QUICK: (Effort, u64) = (Effort { rounds: 3, round: Duration::from_millis(30) }, 2);

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    interrupt::heed()?;
    let (effort, kills) =
        if arguments.quick { QUICK } else { (Effort { rounds: arguments.rounds, round: ROUND }, KILLS) };
    let peers = Peers::ask(&arguments.programs, &arguments.absent);
    let mut report = Report::new();
    let machine = Machine::describe();
    report.say(&report::head(&machine, &peers, effort, kills), lines::head(&machine, &peers));
    let compared = compare(arguments, &peers, effort, &mut report);
    kill(arguments, &peers, kills, &mut report);
    let judged: Vec<_> = compared.iter().flat_map(|compared| report::judge(compared, &peers)).collect();
    report.say(&report::goals(&judged), judged.iter().map(lines::goal).collect());
    if interrupt::happened() {
        bail!("was interrupted: nothing is kept");
    }
    report.keep(arguments, &compared)
}

fn name_and_why(text: &str) -> Result<(String, String)> {
    let (name, why) = text.split_once('=').context("expected NAME=WHY")?;
    Ok((name.to_owned(), why.to_owned()))
}

fn compare(arguments: &Arguments, peers: &Peers, effort: Effort, report: &mut Report) -> Vec<Compared> {
    let mut all = Vec::new();
    for comparison in comparisons::all() {
        if interrupt::happened() || !comparison.what.contains(&arguments.only) {
            continue;
        }
        let ways: Vec<Way> = peers.ways().filter(|way| comparison.is_for(way.offer)).collect();
        eprint!("{}: {} ways …", comparison.what, ways.len());
        let start = Instant::now();
        let measured = measure(&comparison, &ways, effort);
        eprintln!(" {:.0} s", start.elapsed().as_secs_f64());
        let compared = Compared { comparison, measured };
        report.say(&report::comparison(&compared), lines::comparison(&compared));
        all.push(compared);
    }
    all
}

fn kill(arguments: &Arguments, peers: &Peers, kills: u64, report: &mut Report) {
    for death in deaths::all() {
        let what = death.what();
        if interrupt::happened() || !what.contains(&arguments.only) {
            continue;
        }
        let ways = peers.ways().filter(|way| way.offer.works.iter().any(|work| *work == death.work()));
        eprint!("{what} …");
        let start = Instant::now();
        let seen = ways.map(|way| (way.name(), death.see(way, kills))).collect();
        eprintln!(" {:.0} s", start.elapsed().as_secs_f64());
        let killed = Killed { death, seen };
        report.say(&report::death(&killed), lines::death(&killed));
    }
}

/// What was said so far.
struct Report {
    markdown: String,
    lines: String,
}

impl Report {
    fn new() -> Self {
        Self { markdown: String::new(), lines: String::new() }
    }

    /// On standard output, as soon as it is known.
    fn say(&mut self, markdown: &str, lines: Vec<Value>) {
        print!("{markdown}");
        let _ = std::io::stdout().flush();
        self.markdown.push_str(markdown);
        for line in lines {
            let _ = writeln!(self.lines, "{line}");
        }
    }

    fn keep(mut self, arguments: &Arguments, compared: &[Compared]) -> Result<()> {
        if let Some(path) = &arguments.json {
            fs::write(path, &self.lines).with_context(|| path.display().to_string())?;
        }
        let Some(directory) = &arguments.save else { return Ok(()) };
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        for (file, title) in plot::draw(compared, directory)? {
            let _ = write!(self.markdown, "\n![{title}]({file})\n");
        }
        for (file, text) in [("comparison.md", &self.markdown), ("comparison.jsonl", &self.lines)] {
            let path = directory.join(file);
            fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}
