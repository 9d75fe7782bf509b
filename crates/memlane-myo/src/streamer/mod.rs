//! Streamers: programs that own a device and share what it measures.
//!
//! A device says how it is connected and how it streams, by the trait [`Streamer`]; [`run`] does what is the same for
//! all: it tries again, with longer and longer pauses, when the device fails or is pulled out, and ends at once when it
//! is asked to. The samples are in streams and values, which have no owner: a streamer may be killed and started again,
//! and its readers notice a pause.
//!
//! | the streamer is killed | what remains | who goes on |
//! |---|---|---|
//! | between two samples | what was published | the next streamer, with the next number |
//! | in the middle of a packet | the samples before it | the same; the half packet was never seen |

mod back_off;
mod libemg;
mod myo;
mod record;
mod status;

pub use back_off::BackOff;
pub use myo::{MyoStreamer, StreamerOptions};
pub use record::{EMG_SCHEMA, IMU_SCHEMA, emg_record, imu_record};
pub use status::{STATUS_SCHEMA, State};

use crate::stop::Stop;
use std::time::Duration;

/// A device whose samples are shared.
pub trait Streamer {
    /// Why the device fails.
    type Error;

    /// Makes the device ready. A device that is not there is an error; it is tried again.
    fn connect(&mut self, stop: &Stop) -> Result<(), Self::Error>;

    /// Publishes what the device measures, until it fails or a stop is requested; looks for that every 10 ms or so.
    fn stream(&mut self, stop: &Stop) -> Result<(), Self::Error>;

    /// Lets the device go, without waiting for it.
    fn disconnect(&mut self);

    /// Tells whoever looks that the device failed, and when it is tried again. An error that no device can mend, such
    /// as one of a region, is given back, and ends the streamer.
    fn failed(&mut self, error: Self::Error, pause: Duration) -> Result<(), Self::Error>;
}

/// Streams until a stop is requested, whatever the device does.
pub fn run<S: Streamer>(streamer: &mut S, stop: &Stop) -> Result<(), S::Error> {
    let mut back_off = BackOff::default();
    while !stop.is_requested() {
        let outcome = streamer.connect(stop).and_then(|()| {
            back_off.reset();
            streamer.stream(stop)
        });
        streamer.disconnect();
        if let Err(error) = outcome
            && !stop.is_requested()
        {
            let pause = back_off.next_pause();
            streamer.failed(error, pause)?;
            stop.sleep(pause);
        }
    }
    Ok(())
}
