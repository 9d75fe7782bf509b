//! A dongle with an armband that are not there: the same bytes, on a pseudo-terminal.
//!
//! A [`Dongle`] is the protocol alone: it takes bytes and a time, and says which bytes go out when, by absolute
//! deadlines. [`Terminal`] is the pseudo-terminal behind a link that keeps its name. What goes wrong, and when, are
//! [`Fault`]s. Everything random comes from a seed; [`Signal::Ramp`] has known numbers in every sample.

mod armband;
mod dongle;
mod emg;
mod fault;
mod ramp;
mod random;
mod terminal;

pub use armband::turning;
pub use dongle::{Dongle, Options, Pacing, Signal};
pub use emg::{Gesture, Synthesizer};
pub use fault::Fault;
pub use ramp::ramp_number;
pub use random::Random;
pub use terminal::Terminal;
