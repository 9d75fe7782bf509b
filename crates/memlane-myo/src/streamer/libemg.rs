//! The same samples in the shared memory of LibEMG, whose programs need not be changed.

use crate::error::Result;
use crate::myo::{EMG_CHANNELS, EMG_PACKET_SAMPLES, IMU_NUMBERS, Imu};
use memlane_interop::libemg::{EMG, IMU, Tags, Writer};

/// Its two arrays.
#[derive(Debug)]
pub(super) struct LibEmg {
    emg: Writer<EMG_CHANNELS>,
    imu: Writer<IMU_NUMBERS>,
}

impl LibEmg {
    pub(super) fn open(tags: &Tags) -> Result<Self> {
        Ok(Self { emg: Writer::open(tags, EMG)?, imu: Writer::open(tags, IMU)? })
    }

    pub(super) fn write_emg(&mut self, samples: &[[i8; EMG_CHANNELS]; EMG_PACKET_SAMPLES]) -> Result<()> {
        let rows = samples.map(|sample| sample.map(f64::from));
        Ok(self.emg.append(&rows)?)
    }

    pub(super) fn write_imu(&mut self, imu: &Imu) -> Result<()> {
        Ok(self.imu.append(&[imu.0.map(f64::from)])?)
    }
}
