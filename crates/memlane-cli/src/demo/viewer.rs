//! A viewer: receives every frame, checks every byte of it, measures, and holds a frame when told.

use super::message::{Order, Reading, Report};
use super::orders::{self, report};
use super::regions;
use crate::context::Context;
use crate::failure::Outcome;
use crate::frame::cadence::Cadence;
use crate::frame::interrupt::{Interrupt, LOOK_PERIOD};
use crate::frame::latency::Latencies;
use crate::frame::stamp::{self, Verdict};
use memlane::frames::Frame;
use memlane::{Error, FrameSubscriber, Timestamp, Value};
use std::time::{Duration, Instant};

const REPORT_PERIOD: Duration = Duration::from_millis(500);

/// A viewer at work.
struct Viewer<'a> {
    counter: Value<u64>,
    subscriber: &'a FrameSubscriber,
    /// The frame before, as long as the next one is awaited.
    last: Option<Frame<'a>>,
    held: Option<Frame<'a>>,
    /// The number from which on frames are the next publisher's, until one came.
    awaited: Option<u64>,
    frames: u64,
    torn: u64,
    all: Measure,
    lately: Measure,
    due: Instant,
}

/// Rate and latencies over a time.
struct Measure {
    cadence: Cadence,
    latencies: Latencies,
}

pub(super) fn run(context: &Context) -> Outcome {
    let interrupt = Interrupt::listen()?;
    let orders = orders::listen();
    let space = context.space()?;
    space.wait_for(regions::PICTURES, None)?;
    let subscriber = FrameSubscriber::open_with(space, regions::PICTURES, regions::VIEWER_ENTRIES)?;
    let mut viewer = Viewer::new(&subscriber, regions::counter(space)?);
    while !interrupt.requested() {
        viewer.take_frame()?;
        for order in orders.try_iter() {
            if order == Order::End {
                return report(Report::Total(viewer.total()));
            }
            viewer.obey(order)?;
        }
    }
    Ok(())
}

impl<'a> Viewer<'a> {
    fn new(subscriber: &'a FrameSubscriber, counter: Value<u64>) -> Self {
        Self {
            counter,
            subscriber,
            last: None,
            held: None,
            awaited: None,
            frames: 0,
            torn: 0,
            all: Measure::new(),
            lately: Measure::new(),
            due: Instant::now() + REPORT_PERIOD,
        }
    }

    /// Takes the next frame, if it comes soon.
    fn take_frame(&mut self) -> Outcome {
        match self.subscriber.next(Some(LOOK_PERIOD)) {
            Ok(frame) => self.received(frame)?,
            Err(Error::Timeout { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if Instant::now() >= self.due {
            self.due = Instant::now() + REPORT_PERIOD;
            let reading = self.lately.take(self.frames, self.torn, self.subscriber.missed());
            report(Report::Received(reading))?;
        }
        Ok(())
    }

    fn received(&mut self, frame: Frame<'a>) -> Outcome {
        let latency = frame.age();
        let sequence = frame.sequence();
        if self.awaited.is_some_and(|awaited| sequence >= awaited) {
            self.awaited = None;
            report(Report::Resumed { sequence, at: Timestamp::now().monotonic })?;
        }
        self.counter.add(1);
        self.frames += 1;
        self.torn += u64::from(!is_whole(&frame));
        self.all.frame(latency);
        self.lately.frame(latency);
        self.last = Some(frame);
        Ok(())
    }

    fn obey(&mut self, order: Order) -> Outcome {
        match order {
            Order::Hold(awaited) => {
                self.awaited = Some(awaited);
                self.held = self.last.take();
                let held = self.held.as_ref().map_or(0, Frame::sequence);
                report(Report::Holding(held))
            }
            Order::Check => self.check(),
            Order::Release => {
                self.check()?;
                self.held = None;
                Ok(())
            }
            // The first is not for viewers, the other handled before.
            Order::Half | Order::End => Ok(()),
        }
    }

    fn check(&self) -> Outcome {
        let Some(held) = &self.held else { return report(Report::Checked { sequence: 0, intact: false }) };
        report(Report::Checked { sequence: held.sequence(), intact: is_whole(held) })
    }

    fn total(mut self) -> Reading {
        self.all.take(self.frames, self.torn, self.subscriber.missed())
    }
}

impl Measure {
    fn new() -> Self {
        Self { cadence: Cadence::default(), latencies: Latencies::new() }
    }

    fn frame(&mut self, latency: Duration) {
        self.cadence.count(Instant::now());
        self.latencies.record(latency);
    }

    /// What was measured since the last call.
    fn take(&mut self, frames: u64, torn: u64, missed: u64) -> Reading {
        let rate = self.cadence.take();
        let latencies = std::mem::replace(&mut self.latencies, Latencies::new());
        let counted = Reading { frames, rate, missed, torn, ..Reading::default() };
        latencies.percentiles().map_or(counted, |percentiles| Reading {
            half: percentiles.half,
            ninety_nine: percentiles.ninety_nine,
            longest: percentiles.longest,
            ..counted
        })
    }
}

/// The stamp covers all bytes and the frame's number.
fn is_whole(frame: &Frame<'_>) -> bool {
    stamp::check(frame, frame.sequence()) == Verdict::Whole
}
