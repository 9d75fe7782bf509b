//! The publisher, or its stand-by: the same program, which waits for its turn.

use super::film::{self, Film};
use super::message::{Order, Report};
use super::orders::{self, report};
use super::regions;
use crate::context::Context;
use crate::failure::Outcome;
use crate::frame::cadence::Cadence;
use crate::frame::interrupt::Interrupt;
use crate::frame::pace::Pace;
use crate::frame::stamp;
use memlane::frames::Loan;
use memlane::{FramePublisher, Text};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

/// How long a stand-by waits for its turn; in a demo that goes on for ever there may be none.
const PATIENCE: Duration = Duration::from_hours(365 * 24);
const REPORT_PERIOD: Duration = Duration::from_millis(500);

/// What goes out beside the frames.
struct News {
    caption: Text,
    subject: &'static str,
    cadence: Cadence,
    due: Instant,
}

pub(super) fn run(context: &Context) -> Outcome {
    let interrupt = Interrupt::listen()?;
    let orders = orders::listen();
    // Before the wait: who takes over has no time to lose.
    let film = Film::develop()?;
    let caption = regions::caption(context.space()?)?;
    let mut publisher = FramePublisher::open_or_create_within(
        context.space()?,
        regions::PICTURES,
        &regions::pictures(),
        PATIENCE,
    )?;
    report(Report::Publishing)?;
    let mut pace = Pace::new(Some(film::RATE));
    let mut news = News::new(caption);
    while !interrupt.requested() {
        pace.wait(&interrupt);
        let mut loan = publisher.loan()?;
        if orders.try_recv() == Ok(Order::Half) {
            return write_half(&film, loan);
        }
        let sequence = loan.sequence();
        film.expose(sequence, &mut loan);
        stamp::put(&mut loan, sequence);
        loan.publish();
        news.tell(sequence)?;
    }
    Ok(())
}

/// Stands in the middle of a frame until somebody kills it.
fn write_half(film: &Film, mut loan: Loan<'_>) -> Outcome {
    let (sequence, half) = (loan.sequence(), loan.len() / 2);
    film.expose(sequence, &mut loan[..half]);
    report(Report::Half(sequence))?;
    loop {
        thread::park();
    }
}

impl News {
    fn new(caption: Text) -> Self {
        Self { caption, subject: "", cadence: Cadence::default(), due: Instant::now() + REPORT_PERIOD }
    }

    fn tell(&mut self, sequence: u64) -> Outcome {
        let (now, subject) = (Instant::now(), film::subject(sequence));
        if subject != self.subject {
            self.subject = subject;
            self.caption.write(&format!("{subject}, says process {}", process::id()))?;
        }
        self.cadence.count(now);
        if now >= self.due {
            self.due = now + REPORT_PERIOD;
            report(Report::Sent { sequence, rate: self.cadence.take() })?;
        }
        Ok(())
    }
}
