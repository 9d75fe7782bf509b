//! The simulated armband: its attributes, what was switched on, and the next packets of it.

use super::dongle::Signal;
use super::emg::{Gesture, Synthesizer};
use super::ramp::ramp_sample;
use crate::bgapi::ResultCode;
use crate::myo::{Control, EMG_CHANNELS, EmgMode, Firmware, Imu, ImuMode, Mode, Pose, attribute};
use std::collections::HashMap;
use std::f64::consts::PI;

const NAME: &[u8] = b"Simulated Myo";
const BATTERY: u8 = 87;
const NEW_FIRMWARE: Firmware = Firmware { major: 1, minor: 5, patch: 1970, hardware: 2 };
const OLD_FIRMWARE: Firmware = Firmware { major: 0, minor: 8, patch: 18, hardware: 1 };
/// It turns once in so many packets of its motion, at 50 Hz: ten seconds.
const TURN_PACKETS: f64 = 500.0;
const STEPS_OF_ONE: f64 = 16384.0;
const STEPS_OF_G: i16 = 2048;
/// 36 °/s.
const STEPS_OF_TURN: i16 = 36 * 16;
/// Samples of EMG in a packet of filtered EMG: 50 Hz.
const SAMPLES_OF_FILTERED: usize = 4;

/// A value to be sent: the attribute, whether it is indicated, its bytes.
pub(super) type Value = (u16, bool, Vec<u8>);

#[derive(Debug)]
pub(super) struct Armband {
    signal: Signal,
    gesture: Gesture,
    firmware: Firmware,
    pub(super) mode: Mode,
    /// Whether descriptors are set.
    on: HashMap<u16, bool>,
    synthesizer: Synthesizer,
    /// Samples of EMG and packets of motion made so far, since it exists.
    pub(super) samples: u64,
    packets: u64,
    shown: Option<Pose>,
    /// What it was told, for whoever watches.
    pub(super) told: Vec<Control>,
}

impl Armband {
    pub(super) fn new(signal: Signal, gesture: Gesture, seed: u64, old: bool) -> Self {
        Self {
            signal,
            gesture,
            firmware: if old { OLD_FIRMWARE } else { NEW_FIRMWARE },
            mode: Mode { emg: EmgMode::Off, imu: ImuMode::Off, classifier: false },
            on: HashMap::new(),
            synthesizer: Synthesizer::new(seed),
            samples: 0,
            packets: 0,
            shown: None,
            told: Vec::new(),
        }
    }

    /// The connection is gone: everything is off.
    pub(super) fn disconnected(&mut self) {
        self.mode = Mode { emg: EmgMode::Off, imu: ImuMode::Off, classifier: false };
        self.on.clear();
        self.shown = None;
    }

    pub(super) fn read(&self, handle: u16) -> Result<Vec<u8>, ResultCode> {
        match handle {
            attribute::NAME => Ok(NAME.to_vec()),
            attribute::BATTERY => Ok(vec![BATTERY]),
            attribute::FIRMWARE => Ok(self.firmware.to_bytes()),
            attribute::INFO => Ok(vec![0; 20]),
            attribute::COMMAND => Err(ResultCode::READ_NOT_PERMITTED),
            _ => Err(ResultCode::INVALID_HANDLE),
        }
    }

    /// Takes a written value; says whether what it sends may have changed.
    pub(super) fn write(&mut self, handle: u16, value: &[u8]) -> Result<(), ResultCode> {
        match handle {
            attribute::COMMAND => self.tell(Control::from_bytes(value).ok_or(ResultCode::INVALID_PARAMETER)?),
            attribute::BATTERY_NOTIFY
            | attribute::IMU_NOTIFY
            | attribute::MOTION_NOTIFY
            | attribute::CLASSIFIER_INDICATE
            | attribute::FILTERED_EMG_NOTIFY => self.switch(handle, value)?,
            _ if attribute::EMG_NOTIFY.contains(&handle) => self.switch(handle, value)?,
            attribute::NAME | attribute::BATTERY | attribute::FIRMWARE | attribute::INFO => {
                return Err(ResultCode::WRITE_NOT_PERMITTED);
            }
            _ => return Err(ResultCode::INVALID_HANDLE),
        }
        Ok(())
    }

    /// Some programs set more bits of a descriptor than exist: the low two count.
    fn switch(&mut self, descriptor: u16, value: &[u8]) -> Result<(), ResultCode> {
        let [low, _] = value else { return Err(ResultCode::INVALID_PARAMETER) };
        self.on.insert(descriptor, low & 3 != 0);
        Ok(())
    }

    fn tell(&mut self, control: Control) {
        self.told.push(control);
        match control {
            Control::Mode(mode) if self.firmware.major > 0 => {
                self.mode = mode;
                self.shown = None;
            }
            Control::OldEmg if self.firmware.major == 0 => {
                self.mode = Mode { emg: EmgMode::Filtered, imu: ImuMode::Data, classifier: true };
            }
            _ => {}
        }
    }

    fn is_on(&self, descriptor: u16) -> bool {
        self.on.get(&descriptor).copied().unwrap_or(false)
    }

    /// The packet of EMG of that number since it was switched on, with two more samples.
    pub(super) fn emg_packet(&mut self, number: u64) -> Option<Value> {
        let samples = [self.next_sample(), self.next_sample()];
        let turn = (number % attribute::EMG.len() as u64) as usize;
        let bytes = samples.as_flattened().iter().map(|value| value.cast_unsigned()).collect();
        self.is_on(attribute::EMG_NOTIFY[turn]).then_some((attribute::EMG[turn], false, bytes))
    }

    /// A packet of filtered EMG, with four more samples.
    pub(super) fn filtered_packet(&mut self) -> Option<Value> {
        for _ in 0..SAMPLES_OF_FILTERED {
            self.next_sample();
        }
        let mut bytes: Vec<u8> =
            self.synthesizer.filtered().iter().flat_map(|strength| strength.to_le_bytes()).collect();
        bytes.push(0);
        self.is_on(attribute::FILTERED_EMG_NOTIFY).then_some((attribute::FILTERED_EMG, false, bytes))
    }

    pub(super) fn imu_packet(&mut self) -> Option<Value> {
        let number = self.packets;
        self.packets += 1;
        let imu = match self.signal {
            Signal::Ramp => Imu(std::array::from_fn(|at| number.wrapping_add(at as u64) as i16)),
            Signal::Emg => turning(number),
        };
        self.is_on(attribute::IMU_NOTIFY).then_some((attribute::IMU, false, imu.to_bytes()))
    }

    /// What the classifier has to say, if the pose has changed.
    pub(super) fn classify(&mut self) -> Vec<Value> {
        let pose = self.gesture.at(self.samples);
        if !self.mode.classifier || self.shown == Some(pose) || !self.is_on(attribute::CLASSIFIER_INDICATE) {
            return Vec::new();
        }
        let synced = [1, 1, 2, 0, 0, 0];
        let [low, high] = (pose as u16).to_le_bytes();
        let posed = [3, low, high, 0, 0, 0];
        let first = if self.shown.is_none() { vec![synced] } else { Vec::new() };
        self.shown = Some(pose);
        let length = if self.firmware.major == 0 { 3 } else { 6 };
        first
            .into_iter()
            .chain([posed])
            .map(|value| (attribute::CLASSIFIER, true, value[..length].to_vec()))
            .collect()
    }

    fn next_sample(&mut self) -> [i8; EMG_CHANNELS] {
        let number = self.samples;
        self.samples += 1;
        let sample = self.synthesizer.next_sample(self.gesture.at(number), self.mode.emg == EmgMode::Raw);
        match self.signal {
            Signal::Ramp => ramp_sample(number as u32),
            Signal::Emg => sample,
        }
    }
}

/// The motion packet of this number of an armband that lies on a turntable.
#[must_use]
pub fn turning(number: u64) -> Imu {
    let half = PI * number as f64 / TURN_PACKETS;
    let (sine, cosine) = half.sin_cos();
    let step = |value: f64| (value * STEPS_OF_ONE) as i16;
    Imu([step(cosine), 0, 0, step(sine), 0, 0, STEPS_OF_G, 0, 0, STEPS_OF_TURN])
}
