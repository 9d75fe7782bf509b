//! The hunt for lost wake-ups: `cargo xtask wakeups`, or
//! `cargo test -p memlane --release --features delays --test wakeups -- [--seconds N] [--rounds N] [PAIR…]`.
//!
//! Pairs of processes, and a few crowds, wait for each other again and again. With the feature `delays` every shared
//! access is now and then delayed, so that others come in between where they hardly ever do; and a slice of a wait
//! takes 3 seconds, so that a wake-up that is lost is a stall that nothing else looks like. One is a failure.
#![cfg(feature = "delays")]

mod pairs;

#[path = "../role/mod.rs"]
mod role;
#[path = "../scratch/mod.rs"]
mod scratch;

use memlane::{Array, Result, Space};
use pairs::{PAIRS, Pair};
use role::Role;
use scratch::Scratch;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Nothing but a slice takes that long, on a machine with much else to do.
const STALL: Duration = Duration::from_millis(2500);
/// How often the parent looks whether everybody goes on.
const LOOK: Duration = Duration::from_millis(20);
const DEFAULT_SECONDS: f64 = 30.0;

/// How many rounds each process has made, and how many it is to make.
#[derive(Debug)]
pub(crate) struct Score {
    done: Array<u64>,
    player: usize,
    rounds: u64,
}

impl Score {
    fn open(space: &Space, player: usize, rounds: u64) -> Result<Self> {
        Ok(Self { done: Array::open_or_create(space, "score", &[8])?, player, rounds })
    }

    /// The rounds to play, each counted when it is begun.
    pub(crate) fn rounds(&self) -> impl Iterator<Item = u64> {
        (0..self.rounds)
            .inspect(|round| self.done.store(self.player, *round).expect("everybody has an element"))
    }

    fn all_done(&self, players: usize) -> u64 {
        (0..players).map(|player| self.done.load(player).expect("everybody has an element")).sum()
    }
}

fn main() -> ExitCode {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let player = part.number(0);
        let pair = PAIRS.iter().find(|pair| pair.name == part.role).expect("the parent knows its pairs");
        let score = Score::open(&space, player as usize, part.number(1)).expect("the parent made it");
        (pair.play)(&space, player, &score).expect("the pair can be played");
    });
    let mut seconds = DEFAULT_SECONDS;
    let mut rounds = None;
    let mut wanted = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse::<f64>().ok());
        match argument.as_str() {
            "--seconds" => seconds = number().unwrap_or(DEFAULT_SECONDS),
            "--rounds" => rounds = number().map(|rounds| rounds as u64),
            other => wanted.push(other.to_owned()),
        }
    }
    let is_wanted =
        |pair: &&Pair| wanted.is_empty() || wanted.iter().any(|name| pair.name.contains(name.as_str()));
    let pairs: Vec<_> = PAIRS.iter().filter(is_wanted).collect();
    let time = Duration::from_secs_f64(seconds / pairs.len().max(1) as f64);
    let outcomes: Vec<_> = pairs.iter().map(|pair| hunt(pair, time, rounds)).collect();
    let lost = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    println!("{} passed, {lost} failed", outcomes.len() - lost);
    if lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Lets a pair play for a time, or for so many rounds.
fn hunt(pair: &Pair, time: Duration, rounds: Option<u64>) -> std::result::Result<(), ()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let score = Score::open(&space, 0, 0).expect("a fresh space can be used");
    (pair.prepare)(&space).expect("a fresh space can be used");
    let most = rounds.unwrap_or(u64::MAX).to_string();
    let start = Instant::now();
    let mut players: Vec<_> = (0..pair.players)
        .map(|player| Role::start(pair.name, scratch.path(), &[&player.to_string(), &most]))
        .collect();
    let (mut seen, mut since, mut worst) = (0, Instant::now(), Duration::ZERO);
    let is_over = |done: u64| match rounds {
        Some(rounds) => done + pair.players as u64 >= rounds * pair.players as u64,
        None => start.elapsed() >= time,
    };
    loop {
        std::thread::sleep(LOOK);
        let done = score.all_done(pair.players);
        worst = worst.max(since.elapsed());
        let stalls = since.elapsed() > STALL;
        if done != seen {
            (seen, since) = (done, Instant::now());
        }
        if stalls || is_over(done) {
            for player in &mut players {
                player.kill_and_wait();
            }
            let verdict = if stalls { "LOST A WAKE-UP" } else { "ok" };
            let rate = done as f64 / start.elapsed().as_secs_f64();
            println!(
                "{:<42} {done:>10} rounds, {rate:>8.0}/s, longest pause {worst:>7.0?}  {verdict}",
                pair.name
            );
            return if stalls { Err(()) } else { Ok(()) };
        }
    }
}
