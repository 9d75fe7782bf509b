//! The regions that the processes of the demo share.

use super::film::{HEIGHT, WIDTH};
use memlane::schema::Primitive;
use memlane::{
    Event, FrameSpec, Queue, QueueSpec, Record, Result, Semaphore, Space, StreamPublisher, StreamSpec, Text,
    Value,
};
use memlane_myo::streamer::{EMG_SCHEMA, IMU_SCHEMA};
use std::time::Duration;

/// The pictures.
pub(super) const PICTURES: &str = "camera/front";
/// The caption of what is to be seen.
pub(super) const CAPTION: &str = "camera/caption";
/// How many frames all viewers together have received.
pub(super) const COUNTER: &str = "camera/received";

/// The lock of the arm, and where its parts are.
pub(super) const ARM: &str = "demo/arm";
pub(super) const ARM_STATE: &str = "demo/arm-state";
/// How often a holder of the arm died and the next one put its parts right; and how, the last time.
pub(super) const RECOVERIES: &str = "demo/recoveries";
pub(super) const RECOVERY: &str = "demo/last-recovery";
/// Set by whoever wants the holder of the arm to be killed.
pub(super) const KILL_HOLDER: &str = "demo/kill-holder";
/// What the armband measures.
pub(super) const EMG: &str = "demo/emg";
const IMU: &str = "demo/imu";
/// What the workers are to do; how many jobs they have done; how many came to them from the dead.
pub(super) const JOBS: &str = "demo/jobs";
const JOBS_DONE: &str = "demo/jobs-done";
const JOBS_AGAIN: &str = "demo/jobs-again";
const POWER: &str = "demo/power";

/// What a caption may have.
const CAPTION_BYTES: usize = 256;
/// A viewer that is held up for a quarter of a second still misses nothing.
const HISTORY: u32 = 16;
/// Two viewers with [`VIEWER_ENTRIES`] each, and as many for whoever else wants to look.
const BORROWS: u32 = 4 * VIEWER_ENTRIES;
/// A viewer's frame kept across the publisher's death, its last one, and the one it takes.
pub(super) const VIEWER_ENTRIES: u32 = 3;
/// Twenty seconds of EMG.
const EMG_CAPACITY: u64 = 4096;
const JOBS_BYTES: usize = 4096;
/// One batch of the dispatcher and a few more.
const JOBS_MOST: u32 = 12;
/// What those who plan and the one who moves the arm need together.
const POWER_TOTAL: u32 = 3;
/// How long a sensor waits for another one, which was killed, to be gone.
const SENSOR_PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn pictures() -> FrameSpec {
    FrameSpec::image(HEIGHT, WIDTH, 3, Primitive::U8).history(HISTORY).borrows(BORROWS)
}

pub(super) fn caption(space: &Space) -> Result<Text> {
    Text::open_or_create(space, CAPTION, CAPTION_BYTES)
}

pub(super) fn counter(space: &Space) -> Result<Value<u64>> {
    Value::open_or_create(space, COUNTER, 0)
}

pub(super) fn emg(space: &Space) -> Result<StreamPublisher> {
    let spec = StreamSpec::of(EMG_SCHEMA).capacity(EMG_CAPACITY);
    StreamPublisher::open_or_create_within(space, EMG, &spec, SENSOR_PATIENCE)
}

pub(super) fn imu(space: &Space) -> Result<Record> {
    Record::open_or_create(space, IMU, IMU_SCHEMA)
}

pub(super) fn jobs(space: &Space) -> Result<Queue> {
    let space = &noted(space, "what the workers are to do; a killed worker's job is handed out again");
    Queue::open_or_create(space, JOBS, &QueueSpec::bytes(JOBS_BYTES).messages(JOBS_MOST).acknowledged())
}

pub(super) fn jobs_done(space: &Space) -> Result<Value<u64>> {
    Value::open_or_create(&noted(space, "jobs that the workers have done"), JOBS_DONE, 0)
}

pub(super) fn jobs_again(space: &Space) -> Result<Value<u64>> {
    Value::open_or_create(&noted(space, "jobs that came to a worker from a dead one"), JOBS_AGAIN, 0)
}

pub(super) fn power(space: &Space) -> Result<Semaphore> {
    let space = &noted(space, "who plans a job has one permit, who moves the arm two");
    Semaphore::open_or_create(space, POWER, POWER_TOTAL)
}

pub(super) fn kill_holder(space: &Space) -> Result<Event> {
    let space = &noted(space, "set it, and the worker that has demo/arm is killed");
    Event::open_or_create_auto_reset(space, KILL_HOLDER)
}

/// The space, with a note for people on what is made in it.
pub(super) fn noted(space: &Space, note: &str) -> Space {
    space.clone().note(note)
}
