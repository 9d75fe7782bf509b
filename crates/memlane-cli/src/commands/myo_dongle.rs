//! `memlane myo-dongle`: a simulated dongle with an armband, for any program that speaks to one.

use std::io;
use std::path::PathBuf;

use memlane_myo::Stop;
use memlane_myo::myo::Pose;
use memlane_myo::simulator::{Dongle, Fault, Gesture, Options, Signal, Terminal};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::frame::interrupt::Interrupt;

/// Simulate a BLED112 dongle with a Myo armband
///
/// Makes a link to a pseudo-terminal that behaves as the dongle's serial port, until Ctrl-C. The link keeps its name.
#[derive(Debug, clap::Args)]
pub(crate) struct MyoDongle {
    /// Where the link is made
    link: PathBuf,
    /// For everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Numbered samples instead of EMG
    #[arg(long)]
    ramp: bool,
    /// What the hand does, such as `fist` or `wave in`; without it one gesture after the other
    #[arg(long, value_name = "POSE", value_parser = parse_pose)]
    gesture: Option<Pose>,
    /// What goes wrong: events-first, delay=MS, mute=N, refuse=N, disconnect=MS, unplug=MS, pieces, backlog=MS,
    /// strangers, old-firmware, lose=N, noise; may be given several times
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
}

impl MyoDongle {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let stop: Stop = Interrupt::listen()?.flag().into();
        let mut terminal = Terminal::open(&self.link).map_err(|error| refused(&error))?;
        context.print(self.link.display())?;
        let options = Options {
            seed: self.seed,
            signal: if self.ramp { Signal::Ramp } else { Signal::Emg },
            gesture: self.gesture.map_or(Gesture::Changing, Gesture::Held),
            faults: self.faults,
        };
        terminal.serve(&mut Dongle::new(options), &stop).map_err(|error| refused(&error))
    }
}

fn parse_pose(text: &str) -> Result<Pose, String> {
    let names = || Pose::ALL.map(Pose::name).join(", ");
    let pose = Pose::ALL.into_iter().find(|pose| pose.name() == text);
    pose.ok_or_else(|| format!("expected one of {}, found {text:?}", names()))
}

/// Of making or serving a pseudo-terminal.
pub(super) fn refused(error: &io::Error) -> Failure {
    Failure::new(Exit::Failure, format!("the pseudo-terminal failed: {error}"))
}
