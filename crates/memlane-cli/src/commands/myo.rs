//! `memlane myo`: a Myo armband into the space, until Ctrl-C.
//!
//! It succeeds when it was asked to end, however often the armband went away meanwhile. With `--json` it prints one
//! object at its end: `samples`, `lost`.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use memlane_interop::libemg::Tags;
use memlane_myo::bgapi::Address;
use memlane_myo::myo::{EmgMode, ImuMode, Mode, Settings};
use memlane_myo::simulator::{Dongle, Options, Terminal};
use memlane_myo::{Error, MyoStreamer, Port, Stop, Streamer, StreamerOptions, streamer};
use serde_json::json;

use super::myo_dongle::refused;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::frame::interrupt::Interrupt;
use crate::human;

/// Stream a Myo armband: EMG, motion, pose, battery
///
/// Looks for a BLED112 dongle and the first armband that it hears, and shares what that sends as myo/emg, myo/imu,
/// myo/pose, myo/battery and myo/status until Ctrl-C. Whatever goes away is waited for. Commands to the armband go into
/// the queue myo/commands: `memlane put myo/commands 'vibrate short'`.
#[derive(Debug, clap::Args)]
pub(crate) struct MyoArguments {
    /// The dongle's serial port, instead of the first dongle that is plugged in
    #[arg(long, value_name = "PATH", conflicts_with = "simulate")]
    port: Option<PathBuf>,
    /// An armband that is not there, but looks as if it were
    #[arg(long)]
    simulate: bool,
    /// The armband, instead of the first that is heard
    #[arg(long, value_name = "ADDRESS")]
    address: Option<Address>,
    /// What EMG it sends: off, filtered (50 Hz), filtered200 or raw (200 Hz)
    #[arg(long, default_value = "raw")]
    emg: EmgMode,
    /// What it sends of its motion: off, data, events, all or raw
    #[arg(long, default_value = "data")]
    imu: ImuMode,
    /// Have it send no poses
    #[arg(long)]
    no_poses: bool,
    /// Fill the shared memory of LibEMG too, whose tags begin with PREFIX if given
    #[arg(long, value_name = "PREFIX", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    libemg: Option<String>,
    /// What the regions' ids begin with
    #[arg(long, value_name = "ID", default_value = "myo")]
    id: String,
    /// How long, instead of until Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = human::parse_duration)]
    duration: Option<Duration>,
}

impl MyoArguments {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let stop: Stop = Interrupt::listen()?.flag().into();
        let options = StreamerOptions {
            settings: Settings {
                address: self.address,
                mode: Mode { emg: self.emg, imu: self.imu, classifier: !self.no_poses },
            },
            prefix: self.id,
            libemg: self.libemg.map(Tags::with_prefix),
        };
        let link = std::env::temp_dir().join(format!("memlane-myo-{}", std::process::id()));
        let port = match self.port {
            Some(path) => Port::Path(path),
            None if self.simulate => Port::Path(link.clone()),
            None => Port::Dongle,
        };
        // First the regions: where somebody else streams, there is nothing to simulate.
        let myo = MyoStreamer::open(context.space()?, port, options).map_err(fail)?;
        let terminal =
            self.simulate.then(|| Terminal::open(&link).map_err(|error| refused(&error))).transpose()?;
        stream(context, myo, terminal, self.duration, &stop)
    }
}

fn stream(
    context: &Context,
    mut myo: MyoStreamer,
    terminal: Option<Terminal>,
    duration: Option<Duration>,
    stop: &Stop,
) -> Outcome {
    let outcome = thread::scope(|scope| {
        let simulation = terminal.map(|mut terminal| {
            scope.spawn(move || terminal.serve(&mut Dongle::new(Options::default()), stop))
        });
        if let Some(duration) = duration {
            scope.spawn(move || {
                stop.sleep(duration);
                stop.request();
            });
        }
        let outcome = streamer::run(&mut Announced { context, myo: &mut myo }, stop).map_err(fail);
        stop.request();
        let simulated = simulation.map_or(Ok(()), |simulation| simulation.join().unwrap_or(Ok(())));
        outcome.and(simulated.map_err(|error| refused(&error)))
    });
    let (samples, lost) = (myo.samples(), myo.lost());
    if context.json() {
        context.print(json!({"samples": samples, "lost": lost}))?;
    } else {
        context.say(format_args!("{}, {lost} lost", human::count(samples as usize, "sample")));
    }
    outcome
}

/// The streamer, telling its user how it goes.
struct Announced<'a> {
    context: &'a Context,
    myo: &'a mut MyoStreamer,
}

impl Streamer for Announced<'_> {
    type Error = Error;

    fn connect(&mut self, stop: &Stop) -> Result<(), Error> {
        self.myo.connect(stop)?;
        self.context.say(format_args!("connected to {}", self.myo.description()));
        Ok(())
    }

    fn stream(&mut self, stop: &Stop) -> Result<(), Error> {
        self.myo.stream(stop)
    }

    fn disconnect(&mut self) {
        self.myo.disconnect();
    }

    fn failed(&mut self, error: Error, pause: Duration) -> Result<(), Error> {
        self.context.say(format_args!("{error}; trying again in {pause:.1?}"));
        self.myo.failed(error, pause)
    }
}

/// What no armband can mend.
fn fail(error: Error) -> Failure {
    use memlane_interop::libemg::Error as Segment;
    match error {
        Error::Region(error) => error.into(),
        Error::Segment(error) => {
            let exit = match error {
                Segment::Name(_) => Exit::Usage,
                Segment::Busy { .. } => Exit::Busy,
                Segment::Size { .. } => Exit::Mismatch,
                _ => Exit::Failure,
            };
            Failure::new(exit, error)
        }
        error => Failure::new(Exit::Failure, error),
    }
}
