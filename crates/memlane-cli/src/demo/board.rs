//! The board: what is known of every process, from its own reports.

use super::child::{Message, News};
use super::crew::Tally;
use super::message::{Reading, Report};
use crate::failure::{Exit, Failure, Outcome};
use std::time::{Duration, Instant};

/// Everything that is to be shown.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) started: Instant,
    /// How long it goes on; without it, until Ctrl-C.
    pub(super) length: Option<Duration>,
    pub(super) publishers: Vec<Publisher>,
    pub(super) viewers: Vec<Viewer>,
    pub(super) story: Vec<Event>,
    /// From each kill to the first frame of the next publisher.
    pub(super) takeovers: Vec<Takeover>,
    /// Frames held across a publisher's death that were looked at and had changed.
    pub(super) spoilt: u64,
    pub(super) tally: Tally,
    /// Where a browser shows it all.
    pub(super) page: String,
}

/// A moment of the story.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) at: Duration,
    pub(super) mood: Mood,
    pub(super) text: String,
}

/// What an event means to whoever looks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Plain,
    Bad,
    Good,
}

/// A publisher's death and what followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Takeover {
    /// The frame that was half written, and was written anew.
    pub(super) sequence: u64,
    /// From the kill to the first new frame at a viewer.
    pub(super) gap: Duration,
}

/// A publisher or stand-by.
#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) pid: u32,
    pub(super) state: PublisherState,
    pub(super) sequence: u64,
    pub(super) rate: f64,
}

/// What a publisher is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PublisherState {
    StandBy,
    Publishing,
    /// Stands in the middle of this frame.
    Half(u64),
    Killed,
}

/// A viewer.
#[derive(Debug)]
pub(super) struct Viewer {
    pub(super) pid: u32,
    pub(super) reading: Reading,
    /// Its last word has been said.
    pub(super) ended: bool,
    /// The frame it holds, across its publisher's death.
    pub(super) holding: Option<u64>,
    /// How often it has looked at that frame.
    pub(super) checks: u64,
    /// The next publisher's first frame at it: number, and nanoseconds of the monotonic clock.
    pub(super) resumed: Option<(u64, u64)>,
}

impl Board {
    pub(super) fn new(length: Option<Duration>, page: String) -> Self {
        Self {
            started: Instant::now(),
            length,
            publishers: Vec::new(),
            viewers: Vec::new(),
            story: Vec::new(),
            takeovers: Vec::new(),
            spoilt: 0,
            tally: Tally::default(),
            page,
        }
    }

    pub(super) fn add_publisher(&mut self, pid: u32) {
        // Of the dead only the last is worth a line.
        let dead =
            self.publishers.iter().filter(|publisher| publisher.state == PublisherState::Killed).count();
        if dead > 1 {
            self.publishers.remove(0);
        }
        self.publishers.push(Publisher { pid, state: PublisherState::StandBy, sequence: 0, rate: 0.0 });
    }

    pub(super) fn add_viewer(&mut self, pid: u32) {
        self.viewers.push(Viewer {
            pid,
            reading: Reading::default(),
            ended: false,
            holding: None,
            checks: 0,
            resumed: None,
        });
    }

    pub(super) fn tell(&mut self, mood: Mood, text: String) {
        self.story.push(Event { at: self.started.elapsed(), mood, text });
    }

    pub(super) fn publisher_mut(&mut self, pid: u32) -> Option<&mut Publisher> {
        self.publishers.iter_mut().find(|publisher| publisher.pid == pid)
    }

    pub(super) fn state_of(&self, pid: u32) -> Option<PublisherState> {
        self.publishers.iter().find(|publisher| publisher.pid == pid).map(|publisher| publisher.state)
    }

    /// Forgets what the viewers saw of an earlier publisher's death.
    pub(super) fn begin_round(&mut self) {
        for viewer in &mut self.viewers {
            (viewer.holding, viewer.checks, viewer.resumed) = (None, 0, None);
        }
    }

    /// Whether it holds for every viewer.
    pub(super) fn all_viewers(&self, fact: impl Fn(&Viewer) -> bool) -> bool {
        self.viewers.iter().all(fact)
    }

    /// Notes what a child reports. One that has ended without being told is a failure.
    pub(super) fn note(&mut self, message: Message) -> Outcome {
        let pid = message.pid;
        match message.news {
            News::Report(report) => self.note_report(pid, report),
            News::Gone(complaint) if !self.may_end(pid) => return Err(ended_early(pid, &complaint)),
            News::Gone(_) => {}
        }
        Ok(())
    }

    fn note_report(&mut self, pid: u32, report: Report) {
        if let Report::Checked { sequence, intact } = report {
            // A viewer without a frame has none that is what it was.
            self.spoilt += u64::from(!intact || sequence == 0);
        }
        if let Some(viewer) = self.viewers.iter_mut().find(|viewer| viewer.pid == pid) {
            viewer.note(report);
        }
        if let Some(publisher) = self.publisher_mut(pid) {
            publisher.note(report);
        }
    }

    fn may_end(&self, pid: u32) -> bool {
        let ended = self.viewers.iter().any(|viewer| viewer.pid == pid && viewer.ended);
        let forgotten = self.state_of(pid).is_none() && self.viewers.iter().all(|viewer| viewer.pid != pid);
        ended || forgotten || self.state_of(pid) == Some(PublisherState::Killed)
    }
}

impl Publisher {
    fn note(&mut self, report: Report) {
        match report {
            Report::Publishing => self.state = PublisherState::Publishing,
            Report::Sent { sequence, rate } => (self.sequence, self.rate) = (sequence, rate),
            Report::Half(sequence) => self.state = PublisherState::Half(sequence),
            _ => {}
        }
    }
}

impl Viewer {
    fn note(&mut self, report: Report) {
        match report {
            Report::Received(reading) => self.reading = reading,
            Report::Total(reading) => (self.reading, self.ended) = (reading, true),
            Report::Holding(sequence) => self.holding = Some(sequence),
            Report::Checked { .. } => self.checks += 1,
            Report::Resumed { sequence, at } => self.resumed = Some((sequence, at)),
            _ => {}
        }
    }
}

/// A process of the demo that ends without being told to is its failure.
pub(super) fn ended_early(pid: u32, complaint: &str) -> Failure {
    let complaint = complaint.trim();
    let words = if complaint.is_empty() { "it said nothing" } else { complaint };
    Failure::new(Exit::Failure, format!("process {pid} of the demo ended before its time: {words}"))
}
