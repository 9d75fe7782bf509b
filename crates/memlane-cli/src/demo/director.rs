//! The director: starts the processes, kills one, and watches what the others do.

mod takeover;

use super::Role;
use super::board::{Board, Mood, PublisherState};
use super::child::{Child, Message};
use super::crew::Crew;
use super::display::Display;
use super::message::Order;
use super::plan::Plan;
use super::summary::{self, Counter};
use super::{page, regions};
use crate::browser;
use crate::commands::host::failure;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::frame::interrupt::Interrupt;
use crate::stage::Stage;
use memlane::{Space, Value};
use memlane_net::host::Running;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

const VIEWERS: usize = 2;
/// The longest that any one step may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// A demo under way. The fields end in this order: when the stage goes, nobody is on it.
pub(super) struct Director {
    display: Display,
    publisher: Child,
    stand_by: Child,
    viewers: Vec<Child>,
    crew: Crew,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    counter: Value<u64>,
    board: Board,
    interrupt: Interrupt,
    page: Running,
    stage: Stage,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waited {
    Enough,
    TooLong,
    Interrupted,
}

impl Director {
    pub(super) fn run(context: &Context, plan: Plan) -> Outcome {
        let mut director = Self::prepare(context, plan)?;
        let played = director.play(plan).and_then(|()| director.end_viewers());
        director.display.show(&director.board)?;
        let struck = director.strike();
        played?;
        let (board, counter) = struck?;
        summary::conclude(context, &board, counter)
    }

    fn prepare(context: &Context, plan: Plan) -> Outcome<Self> {
        let interrupt = Interrupt::listen()?;
        let stage = Stage::beside(context.directory(), "demo", context.self_command())?;
        let space = Space::at(stage.directory())?;
        let counter = regions::counter(&space)?;
        let (sender, messages) = mpsc::channel();
        let page = page::serve(&space)?;
        let mut board = Board::new(plan.end(), page.url());
        let publisher = Child::start(Role::Publisher, &stage, &sender)?;
        board.add_publisher(publisher.pid());
        wait_for_first_publisher(&messages, &mut board, &publisher)?;
        let stand_by = Child::start(Role::Publisher, &stage, &sender)?;
        board.add_publisher(stand_by.pid());
        let viewers =
            (0..VIEWERS).map(|_| Child::start(Role::Viewer, &stage, &sender)).collect::<Outcome<Vec<_>>>()?;
        for viewer in &viewers {
            board.add_viewer(viewer.pid());
        }
        let crew = Crew::start(&space, &stage, &sender)?;
        if plan.opens_browser {
            browser::open(context, &page.url_once().map_err(failure)?);
        }
        let display = Display::open(context, space)?;
        Ok(Self {
            display,
            publisher,
            stand_by,
            viewers,
            crew,
            messages,
            sender,
            counter,
            board,
            interrupt,
            page,
            stage,
        })
    }

    /// Round after round; in each the publisher is killed half-way, and then who has the arm.
    fn play(&mut self, plan: Plan) -> Outcome {
        let pid = self.publisher.pid();
        self.board
            .tell(Mood::Plain, format!("process {pid} publishes, two viewers look on, a stand-by waits"));
        loop {
            let (half, end) = (Instant::now() + plan.round / 2, Instant::now() + plan.round);
            let goes_on = self.watch_until(half)?
                && self.replace_publisher()?
                && self.kill_holder()?
                && self.watch_until(end)?;
            if !goes_on || !plan.forever {
                return Ok(());
            }
            self.hire_stand_by()?;
        }
    }

    /// Gives the terminal back, ends the processes, removes the directory; in the order of the fields. What
    /// is left is what is known.
    fn strike(self) -> Outcome<(Board, Counter)> {
        let counter = Counter { counted: self.counter.load(), changes: self.counter.region().version() };
        page::end(self.page)?;
        Ok((self.board, counter))
    }

    fn hire_stand_by(&mut self) -> Outcome {
        self.stand_by = Child::start(Role::Publisher, &self.stage, &self.sender)?;
        self.board.add_publisher(self.stand_by.pid());
        Ok(())
    }

    /// Has the holder of the arm killed, and sees that the next one is told and that the job is done by another.
    /// `false` after an interrupt.
    fn kill_holder(&mut self) -> Outcome<bool> {
        let before = self.board.tally.clone();
        self.crew.ask_for_kill();
        let seen = |board: &Board| board.tally.has_recovered_since(&before);
        match self.wait(Instant::now() + PATIENCE, seen, true)? {
            Waited::Enough => Ok(true),
            Waited::Interrupted => Ok(false),
            // Who looks on may have taken the arm himself, or filled the queue.
            Waited::TooLong if self.board.length.is_none() => Ok(true),
            Waited::TooLong => {
                Err(took_too_long("another worker to get the arm, and the job, of a dead one"))
            }
        }
    }

    fn order_viewers(&mut self, order: Order) {
        self.viewers.iter_mut().for_each(|viewer| viewer.order(order));
    }

    fn end_viewers(&mut self) -> Outcome {
        self.order_viewers(Order::End);
        let ended = |board: &Board| board.all_viewers(|viewer| viewer.ended);
        match self.wait(Instant::now() + PATIENCE, ended, false)? {
            Waited::Enough => Ok(()),
            _ => Err(took_too_long("the viewers to end")),
        }
    }

    /// Goes on until then; `false` after an interrupt.
    fn watch_until(&mut self, end: Instant) -> Outcome<bool> {
        Ok(self.wait(end, |_| false, true)? != Waited::Interrupted)
    }

    /// Goes on until something is the case; `false` after an interrupt.
    fn wait_for(&mut self, what: &str, fact: impl Fn(&Board) -> bool) -> Outcome<bool> {
        match self.wait(Instant::now() + PATIENCE, fact, true)? {
            Waited::Enough => Ok(true),
            Waited::Interrupted => Ok(false),
            Waited::TooLong => Err(took_too_long(what)),
        }
    }

    /// Notes what the children report, and shows it.
    fn wait(
        &mut self,
        end: Instant,
        enough: impl Fn(&Board) -> bool,
        interruptible: bool,
    ) -> Outcome<Waited> {
        loop {
            self.crew.attend(&mut self.board);
            self.display.refresh(&self.board)?;
            if enough(&self.board) {
                return Ok(Waited::Enough);
            }
            if interruptible && self.interrupt.requested() {
                return Ok(Waited::Interrupted);
            }
            let now = Instant::now();
            if now >= end {
                return Ok(Waited::TooLong);
            }
            match self
                .messages
                .recv_timeout(end.min(self.display.next_refresh()).saturating_duration_since(now))
            {
                Ok(message) if self.crew.has(message.pid) => {
                    self.crew.note(message, &mut self.board, &self.stage, &self.sender)?;
                }
                Ok(message) => self.board.note(message)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }
}

/// The stand-by must come second.
fn wait_for_first_publisher(messages: &Receiver<Message>, board: &mut Board, publisher: &Child) -> Outcome {
    let end = Instant::now() + PATIENCE;
    while board.state_of(publisher.pid()) != Some(PublisherState::Publishing) {
        match messages.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(message) => board.note(message)?,
            Err(_) => return Err(took_too_long("the publisher to begin")),
        }
    }
    Ok(())
}

fn took_too_long(what: &str) -> Failure {
    let seconds = PATIENCE.as_secs();
    Failure::new(
        Exit::Timeout,
        format!("the demo waited {seconds} s for {what} in vain; is the machine very busy?"),
    )
}
