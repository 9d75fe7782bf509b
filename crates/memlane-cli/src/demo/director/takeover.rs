//! A publisher's death, with half a frame written, and what the viewers see of it.

use super::Director;
use crate::demo::board::{Board, Mood, PublisherState, Takeover};
use crate::demo::message::Order;
use crate::failure::{Exit, Failure, Outcome};
use crate::human;
use memlane::Timestamp;
use std::time::{Duration, Instant};

/// After it the next publisher has used every slot of the pool several times.
const SECOND_LOOK: Duration = Duration::from_secs(1);

impl Director {
    /// Kills the publisher in the middle of a frame, and sees the stand-by take over. `false` after an
    /// interrupt.
    pub(super) fn replace_publisher(&mut self) -> Outcome<bool> {
        let pid = self.publisher.pid();
        self.board.begin_round();
        self.publisher.order(Order::Half);
        let half = |board: &Board| matches!(board.state_of(pid), Some(PublisherState::Half(_)));
        if !self.wait_for("the publisher to write half a frame", half)? {
            return Ok(false);
        }
        let Some(PublisherState::Half(sequence)) = self.board.state_of(pid) else { return Ok(false) };
        self.board.tell(Mood::Plain, format!("process {pid} has half of frame {sequence} written"));
        self.order_viewers(Order::Hold(sequence));
        if !self.wait_for("the viewers to hold a frame", |board| {
            board.all_viewers(|viewer| viewer.holding.is_some())
        })? {
            return Ok(false);
        }
        let killed = Timestamp::now().monotonic;
        self.publisher.kill();
        self.board
            .publisher_mut(pid)
            .into_iter()
            .for_each(|publisher| publisher.state = PublisherState::Killed);
        self.board.tell(Mood::Bad, format!("process {pid} is killed by SIGKILL"));
        Ok(self.look_at_held_frames(Order::Check, 1)?
            && self.see_takeover(sequence, killed)?
            && self.look_again()?)
    }

    /// The viewers check what they hold.
    fn look_at_held_frames(&mut self, order: Order, checks: u64) -> Outcome<bool> {
        self.order_viewers(order);
        let checked = |board: &Board| board.all_viewers(|viewer| viewer.checks >= checks);
        if !self.wait_for("the viewers to check their frames", checked)? {
            return Ok(false);
        }
        let held: Vec<_> = self.board.viewers.iter().filter_map(|viewer| viewer.holding).collect();
        let held = held.iter().map(u64::to_string).collect::<Vec<_>>().join(" and ");
        let still = if checks > 1 { "still " } else { "" };
        match self.board.spoilt {
            0 => self
                .board
                .tell(Mood::Good, format!("frames {held}, held by the viewers, are {still}untouched")),
            _ => self.board.tell(Mood::Bad, format!("frames {held}, held by the viewers, have CHANGED")),
        }
        Ok(true)
    }

    fn see_takeover(&mut self, sequence: u64, killed: u64) -> Outcome<bool> {
        let resumed = |board: &Board| board.all_viewers(|viewer| viewer.resumed.is_some());
        if !self.wait_for("the stand-by to take over", resumed)? {
            return Ok(false);
        }
        let firsts = || self.board.viewers.iter().filter_map(|viewer| viewer.resumed);
        if let Some((first, _)) = firsts().find(|(first, _)| *first != sequence) {
            let message = format!("the next publisher's first frame is number {first} instead of {sequence}");
            return Err(Failure::new(Exit::Failure, message));
        }
        let earliest = firsts().map(|(_, at)| at).min().unwrap_or(killed);
        let gap = Duration::from_nanos(earliest.saturating_sub(killed));
        self.board.takeovers.push(Takeover { sequence, gap });
        std::mem::swap(&mut self.publisher, &mut self.stand_by);
        let (pid, gap) = (self.publisher.pid(), human::duration(gap));
        let news = format!("process {pid} has taken over: frame {sequence} came {gap} after the kill");
        self.board.tell(Mood::Good, news);
        Ok(true)
    }

    fn look_again(&mut self) -> Outcome<bool> {
        Ok(self.watch_until(Instant::now() + SECOND_LOOK)? && self.look_at_held_frames(Order::Release, 2)?)
    }
}
