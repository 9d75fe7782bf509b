//! What the armband can be told, by writing to [`COMMAND`](super::attribute::COMMAND).

use std::str::FromStr;

/// Which EMG it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmgMode {
    /// 0: none.
    Off,
    /// 1: rectified and smoothed, at 50 Hz.
    Filtered,
    /// 2: without the mains' hum, at 200 Hz.
    Filtered200,
    /// 3: as it is measured, at 200 Hz.
    #[default]
    Raw,
}

/// What it sends of its motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImuMode {
    /// 0: nothing.
    Off,
    /// 1: orientation, acceleration and rotation, at 50 Hz.
    #[default]
    Data,
    /// 2: taps.
    Events,
    /// 3: both.
    All,
    /// 4: unfiltered.
    Raw,
}

/// What it sends; unless said otherwise, everything as it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Muscles.
    pub emg: EmgMode,
    /// Motion.
    pub imu: ImuMode,
    /// Poses.
    pub classifier: bool,
}

impl Default for Mode {
    fn default() -> Self {
        Self { emg: EmgMode::default(), imu: ImuMode::default(), classifier: true }
    }
}

/// How long it buzzes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vibration {
    /// 1.
    Short,
    /// 2.
    Medium,
    /// 3.
    Long,
}

/// How long its poses are unlocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlock {
    /// 0: they are locked.
    Lock,
    /// 1: for a moment.
    Timed,
    /// 2: until they are locked.
    Hold,
}

/// A colour: red, green, blue. As text, `ff8000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rgb(pub [u8; 3]);

/// Something to tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// What to send.
    Mode(Mode),
    /// Buzz.
    Vibrate(Vibration),
    /// Sleep until it is plugged into a charger.
    DeepSleep,
    /// The colours of the logo and of the line.
    Leds(Rgb, Rgb),
    /// Do not sleep when it is not moved.
    NeverSleep,
    /// Unlock its poses.
    Unlock(Unlock),
    /// What firmware before 1.0 wants first.
    OldStart,
    /// What firmware before 1.0 wants for EMG: sensor at 1000 Hz, smoothed over 100, sent at 50 Hz as motion is.
    OldEmg,
}

impl Control {
    /// The bytes to be written.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Mode(Mode { emg, imu, classifier }) => vec![1, 3, emg as u8, imu as u8, classifier.into()],
            Self::Vibrate(vibration) => vec![3, 1, vibration as u8 + 1],
            Self::DeepSleep => vec![4, 0],
            Self::Leds(Rgb([red, green, blue]), Rgb([line_red, line_green, line_blue])) => {
                vec![6, 6, red, green, blue, line_red, line_green, line_blue]
            }
            Self::NeverSleep => vec![9, 1, 1],
            Self::Unlock(unlock) => vec![0x0a, 1, unlock as u8],
            Self::OldStart => vec![1, 2, 0, 0],
            Self::OldEmg => vec![2, 9, 2, 1, 0xe8, 3, 0x64, 0x14, 0x32, 0, 0],
        }
    }

    /// What written bytes tell the armband; `None` if nothing that it knows.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(match *bytes {
            [1, 3, emg, imu, classifier @ 0..=1] => {
                let emg = [EmgMode::Off, EmgMode::Filtered, EmgMode::Filtered200, EmgMode::Raw]
                    .get(usize::from(emg))
                    .copied()?;
                let imu = [ImuMode::Off, ImuMode::Data, ImuMode::Events, ImuMode::All, ImuMode::Raw]
                    .get(usize::from(imu))
                    .copied()?;
                Self::Mode(Mode { emg, imu, classifier: classifier == 1 })
            }
            [3, 1, 1] => Self::Vibrate(Vibration::Short),
            [3, 1, 2] => Self::Vibrate(Vibration::Medium),
            [3, 1, 3] => Self::Vibrate(Vibration::Long),
            [4, 0] => Self::DeepSleep,
            [6, 6, ref colours @ ..] => {
                let ([logo, line], []) = colours.as_chunks() else { return None };
                Self::Leds(Rgb(*logo), Rgb(*line))
            }
            [9, 1, 1] => Self::NeverSleep,
            [0x0a, 1, 0] => Self::Unlock(Unlock::Lock),
            [0x0a, 1, 1] => Self::Unlock(Unlock::Timed),
            [0x0a, 1, 2] => Self::Unlock(Unlock::Hold),
            [1, 2, 0, 0] => Self::OldStart,
            [2, 9, 2, 1, 0xe8, 3, 0x64, 0x14, 0x32, 0, 0] => Self::OldEmg,
            _ => return None,
        })
    }
}

/// The words of a streamer's queue of commands: `vibrate short|medium|long`, `leds LOGO LINE`, `sleep`, `awake`,
/// `unlock`, `unlock hold`, `lock`, `mode EMG [IMU [POSES]]` with `off|filtered|filtered200|raw`,
/// `off|data|events|all|raw` and `off|on`.
impl FromStr for Control {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<_> = text.split_whitespace().collect();
        Ok(match *words.as_slice() {
            ["vibrate", "short"] => Self::Vibrate(Vibration::Short),
            ["vibrate", "medium"] => Self::Vibrate(Vibration::Medium),
            ["vibrate", "long"] => Self::Vibrate(Vibration::Long),
            ["leds", logo, line] => Self::Leds(logo.parse()?, line.parse()?),
            ["sleep"] => Self::DeepSleep,
            ["awake"] => Self::NeverSleep,
            ["unlock"] => Self::Unlock(Unlock::Timed),
            ["unlock", "hold"] => Self::Unlock(Unlock::Hold),
            ["lock"] => Self::Unlock(Unlock::Lock),
            ["mode", emg, ref rest @ ..] => {
                let (imu, classifier) = match *rest {
                    [] => (ImuMode::Data, true),
                    [imu] | [imu, "on"] => (imu.parse()?, true),
                    [imu, "off"] => (imu.parse()?, false),
                    _ => return Err(unknown(text)),
                };
                Self::Mode(Mode { emg: emg.parse()?, imu, classifier })
            }
            _ => return Err(unknown(text)),
        })
    }
}

fn unknown(text: &str) -> String {
    format!("expected vibrate, leds, sleep, awake, unlock, lock or mode, found {text:?}")
}

impl FromStr for EmgMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "off" => Self::Off,
            "filtered" => Self::Filtered,
            "filtered200" => Self::Filtered200,
            "raw" => Self::Raw,
            _ => return Err(format!("expected off, filtered, filtered200 or raw, found {text:?}")),
        })
    }
}

impl FromStr for ImuMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "off" => Self::Off,
            "data" => Self::Data,
            "events" => Self::Events,
            "all" => Self::All,
            "raw" => Self::Raw,
            _ => return Err(format!("expected off, data, events, all or raw, found {text:?}")),
        })
    }
}

impl FromStr for Rgb {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("expected a colour such as ff8000, found {text:?}");
        let digits = text.len() == 6 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let [_, red, green, blue] =
            u32::from_str_radix(text, 16).ok().filter(|_| digits).ok_or_else(wrong)?.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}
