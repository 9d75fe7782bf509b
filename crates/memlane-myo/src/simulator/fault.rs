//! What goes wrong.

use std::str::FromStr;
use std::time::Duration;

/// One thing that goes wrong, as often as it says. As text: the names of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// `events-first`: an event between a command and its response; the end of a procedure comes before it too.
    EventsFirst,
    /// `delay=MILLISECONDS`: responses are late.
    Delay(Duration),
    /// `mute=N`: the command of that number, from 1, is not answered; once.
    Mute(u64),
    /// `refuse=N`: the command of that number is answered by an error; once.
    Refuse(u64),
    /// `disconnect=MILLISECONDS`: the connection ends by supervision timeout after so long, each time.
    Disconnect(Duration),
    /// `unplug=MILLISECONDS`: the dongle is pulled out after it has streamed so long, once, and comes back.
    Unplug(Duration),
    /// `pieces`: a few bytes at a time, with pauses.
    Pieces,
    /// `backlog=MILLISECONDS`: notifications are held back and come together.
    Backlog(Duration),
    /// `strangers`: other devices advertise too.
    Strangers,
    /// `old-firmware`: an armband from before 1.0.
    OldFirmware,
    /// `lose=N`: every such packet of EMG is lost on the air.
    Lose(u64),
    /// `noise`: bytes of no packet between packets.
    Noise,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, number) = text.split_once('=').unwrap_or((text, ""));
        let wants = || {
            format!("the fault `{name}` wants a number of 1 or more, as in `{name}=100`, found {number:?}")
        };
        let positive = || number.parse().ok().filter(|number| *number > 0).ok_or_else(wants);
        let time = || positive().map(Duration::from_millis);
        Ok(match (name, number.is_empty()) {
            ("events-first", true) => Self::EventsFirst,
            ("delay", _) => Self::Delay(time()?),
            ("mute", _) => Self::Mute(positive()?),
            ("refuse", _) => Self::Refuse(positive()?),
            ("disconnect", _) => Self::Disconnect(time()?),
            ("unplug", _) => Self::Unplug(time()?),
            ("pieces", true) => Self::Pieces,
            ("backlog", _) => Self::Backlog(time()?),
            ("strangers", true) => Self::Strangers,
            ("old-firmware", true) => Self::OldFirmware,
            ("lose", _) => Self::Lose(positive()?),
            ("noise", true) => Self::Noise,
            _ => {
                return Err(format!(
                    "expected events-first, delay=MS, mute=N, refuse=N, disconnect=MS, unplug=MS, pieces, backlog=MS, \
                     strangers, old-firmware, lose=N or noise, found {text:?}"
                ));
            }
        })
    }
}
