//! Many processes, killed at random: `cargo test -p memlane --release --test chaos [-- OPTIONS]`, see
//! [`options`].
//!
//! Nothing here knows the instruction at which a process dies; minutes and thousands of deaths make up for
//! it. The parts:
//!
//! - [`steady`]: twelve processes work with every kind in one space while one after the other is killed and started
//!   again; whatever is read must be whole, whatever is counted exact, and nobody may stand still;
//! - [`births`]: processes are killed while they start, make, attach, use and remove regions; every name must
//!   stay usable;
//! - [`promptness`]: how soon a waiter knows of a death, by the size of the process that dies.
//!
//! [`crew`] are the child processes of both, [`ground`] the regions that the steady ones share,
//! [`works`] those that pass something on and the books that are kept of it; [`publisher`], [`subscriber`], [`locker`],
//! [`clerk`], [`worker`], [`talker`] and [`maker`] are what a child does, [`tally`] what a person reads of it.

mod births;
mod clerk;
mod crew;
mod ground;
mod locker;
mod maker;
mod options;
mod promptness;
mod publisher;
mod steady;
mod subscriber;
mod talker;
mod tally;
mod worker;
mod works;

#[path = "../left_out/mod.rs"]
mod left_out;
#[path = "../random/mod.rs"]
mod random;
#[path = "../role/mod.rs"]
mod role;
#[path = "../scratch/mod.rs"]
mod scratch;
#[path = "../sealed/mod.rs"]
mod sealed;

use options::Options;
use std::process::ExitCode;
use tally::Tally;

fn main() -> ExitCode {
    role::play(crew::perform);
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    if options.promptness {
        promptness::measure();
        return ExitCode::SUCCESS;
    }
    println!("seed {}", options.seed);
    let mut tally = Tally::default();
    if !options.duration.is_zero() {
        steady::run(&options, &mut tally);
    }
    if options.kills > 0 {
        births::run(&options, &mut tally);
    }
    tally.conclude()
}
