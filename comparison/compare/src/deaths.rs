//! What becomes of the others when a process is killed: each outcome is that of a run. A kill is at a random moment of
//! the work, so that in time it is at each place of it; one run can be lucky where another one finds a torn message.

use std::time::{Duration, Instant};

use harness::{Outcome as Found, Said, Terms, Wait};

use crate::comparisons::{SIZES, bytes};
use crate::failed::{Failed, Outcome};
use crate::peers::Way;
use crate::place::Place;
use crate::sides::Sides;

/// Who has not gone on by then hangs.
const LIMIT: Duration = Duration::from_secs(3);

/// Long enough to open what there is.
const OPENING: Duration = Duration::from_secs(10);

/// What shows that somebody goes on, in bytes; it is that many messages at least, and at most.
const SOME: usize = 32 << 20;
const MESSAGES: std::ops::RangeInclusive<usize> = 40..=1000;

/// More than anybody gets to do before it is killed.
const ENDLESS: u64 = 1 << 40;

/// When somebody is killed, after it was seen at work.
const MOMENT: std::ops::Range<u64> = 5_000..40_000;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    Sender,
    Receiver,
    Holder,
}

/// One kind of death.
pub(crate) struct Death {
    pub(crate) victim: Victim,
    /// Bytes of a message.
    size: usize,
}

/// What came of some kills.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    /// How the receivers wait.
    pub(crate) wait: Wait,
    /// After so many all went on.
    pub(crate) kills: u64,
    pub(crate) arrived: u64,
    /// Sent by somebody who still sends, and never seen.
    pub(crate) missed: u64,
    pub(crate) torn: u64,
    /// How often the others were told that somebody died.
    pub(crate) told: u64,
    /// The longest time from the kill until the others went on, in nanoseconds.
    pub(crate) longest: u64,
    /// What ended it early.
    pub(crate) end: Option<Failed>,
}

/// All, in the order of the report.
pub(crate) fn all() -> Vec<Death> {
    let sizes = [SIZES[0], SIZES[2]];
    let of_messages = [Victim::Sender, Victim::Receiver].into_iter();
    let of_messages = of_messages.flat_map(|victim| sizes.map(|size| Death { victim, size }));
    of_messages.chain([Death { victim: Victim::Holder, size: SIZES[0] }]).collect()
}

impl Death {
    /// Who, of what.
    pub(crate) fn what(&self) -> String {
        match self.victim {
            Victim::Sender => format!("killed: the sender of {}", bytes(self.size)),
            Victim::Receiver => format!("killed: the receiver of {}", bytes(self.size)),
            Victim::Holder => "killed: the holder of a lock".into(),
        }
    }

    /// As the harness calls it.
    pub(crate) fn work(&self) -> &'static str {
        match self.victim {
            Victim::Holder => "holder dies",
            Victim::Sender | Victim::Receiver => "sender or receiver dies",
        }
    }

    /// Kills so many, with receivers that sleep; that poll, if they cannot sleep.
    pub(crate) fn see(&self, way: Way, kills: u64) -> Seen {
        let asleep = self.see_waiting(Wait::Asleep, way, kills);
        if asleep.end.is_none() || asleep.arrived > 0 || self.victim == Victim::Holder {
            return asleep;
        }
        let busy = self.see_waiting(Wait::Busy, way, kills);
        if busy.arrived > 0 { busy } else { asleep }
    }

    fn see_waiting(&self, wait: Wait, way: Way, kills: u64) -> Seen {
        let mut seen = Seen { wait, ..Seen::default() };
        let terms = Terms { size: self.size, wait, ..Terms::default() };
        let end = match self.victim {
            Victim::Sender => self.kill_senders(way, &terms, kills, &mut seen),
            Victim::Receiver => self.kill_receivers(way, &terms, kills, &mut seen),
            Victim::Holder => self.kill_holders(way, &terms, kills, &mut seen),
        };
        seen.end = end.err();
        seen
    }

    fn start(&self, way: Way, terms: &Terms, place: &Place, index: usize) -> Outcome<Sides> {
        Sides::start(way, self.work(), terms, place, &[index])
    }

    /// Sender and receiver, at work.
    fn start_two(&self, way: Way, terms: &Terms, place: &Place, seen: &mut Seen) -> Outcome<[Sides; 2]> {
        let mut sender = self.start(way, terms, place, 0)?;
        let mut receiver = self.start(way, terms, place, 1)?;
        sender.ready(OPENING).map_err(|failed| of("the sender", &failed))?;
        receiver.ready(OPENING).map_err(|failed| of_two("the receiver", &failed, &mut sender))?;
        sender.tell(ENDLESS)?;
        receiver.tell(self.some())?;
        let said = receiver.hear(LIMIT).map_err(|failed| of_two("the receiver", &failed, &mut sender))?;
        seen.add(&said[0].said);
        Ok([sender, receiver])
    }

    fn some(&self) -> u64 {
        (SOME / self.size).clamp(*MESSAGES.start(), *MESSAGES.end()) as u64
    }

    /// One receiver, and one sender after the other.
    fn kill_senders(&self, way: Way, terms: &Terms, kills: u64, seen: &mut Seen) -> Outcome<()> {
        let place = Place::new()?;
        let [mut sender, mut receiver] = self.start_two(way, terms, &place, seen)?;
        for _ in 0..kills {
            let moment = random_moment();
            // One order is always out, so that it is at work when the sender dies.
            receiver.tell(self.some())?;
            while let Some(said) = receiver
                .hear_within(moment.saturating_duration_since(Instant::now()))
                .map_err(|failed| of_two("the receiver", &failed, &mut sender))?
            {
                seen.add(&said[0].said);
                receiver.tell(self.some())?;
            }
            let killed = kill(&mut sender);
            sender = self.start(way, terms, &place, 0)?;
            sender.ready(OPENING).map_err(|failed| of("the next sender", &failed))?;
            sender.tell(ENDLESS)?;
            let said = receiver.hear(LIMIT).map_err(|failed| of_two("the receiver", &failed, &mut sender))?;
            seen.add(&said[0].said);
            seen.went_on(killed);
        }
        Ok(())
    }

    /// One sender, and one receiver after the other.
    fn kill_receivers(&self, way: Way, terms: &Terms, kills: u64, seen: &mut Seen) -> Outcome<()> {
        let place = Place::new()?;
        let [mut sender, mut receiver] = self.start_two(way, terms, &place, seen)?;
        for _ in 0..kills {
            receiver.tell(ENDLESS)?;
            let killed =
                kill_at(random_moment(), &mut receiver).map_err(|failed| of("the receiver", &failed))?;
            receiver = self.start(way, terms, &place, 1)?;
            receiver.ready(OPENING).map_err(|failed| of_two("the next receiver", &failed, &mut sender))?;
            receiver.tell(self.some())?;
            let said =
                receiver.hear(LIMIT).map_err(|failed| of_two("the next receiver", &failed, &mut sender))?;
            seen.add(&said[0].said);
            seen.went_on(killed);
        }
        Ok(())
    }

    /// One who wants the lock, and one holder after the other. Every second time it waits when the holder dies.
    fn kill_holders(&self, way: Way, terms: &Terms, kills: u64, seen: &mut Seen) -> Outcome<()> {
        let place = Place::new()?;
        let mut next = self.start(way, terms, &place, 1)?;
        next.ready(OPENING)?;
        for kill in 0..kills {
            let mut holder = self.start(way, terms, &place, 0)?;
            holder.ready(OPENING).map_err(|failed| of("the next holder", &failed))?;
            holder.tell(1)?;
            holder.hear_word("held", LIMIT).map_err(|failed| of("the next holder", &failed))?;
            let waits = kill % 2 == 1;
            if waits {
                next.tell(1)?;
            }
            let killed = kill_at(random_moment(), &mut holder).map_err(|failed| of("the holder", &failed))?;
            if !waits {
                next.tell(1)?;
            }
            let said = &next.hear(LIMIT).map_err(|failed| of("the next one", &failed))?[0].said;
            seen.told += u64::from(said.outcome == Some(Found::IsTold));
            seen.went_on(killed);
        }
        Ok(())
    }
}

impl Seen {
    fn add(&mut self, said: &Said) {
        self.arrived += said.arrived;
        self.missed += said.missed;
        self.torn += said.torn;
    }

    fn went_on(&mut self, killed: Instant) {
        self.kills += 1;
        self.longest = self.longest.max(killed.elapsed().as_nanos() as u64);
    }
}

fn random_moment() -> Instant {
    Instant::now() + Duration::from_micros(fastrand::u64(MOMENT))
}

/// At a moment of its work, if it does not end before.
fn kill_at(moment: Instant, victim: &mut Sides) -> Outcome<Instant> {
    match victim.hear_within(moment.saturating_duration_since(Instant::now()))? {
        Some(_) => Err(Failed::new("was done before it was killed")),
        None => Ok(kill(victim)),
    }
}

fn kill(victim: &mut Sides) -> Instant {
    let now = Instant::now();
    victim.kill();
    now
}

fn of(who: &str, failed: &Failed) -> Failed {
    Failed(format!("{who} {failed}"))
}

/// Why one of them does not go on may be that the other one does not.
fn of_two(who: &str, failed: &Failed, sender: &mut Sides) -> Failed {
    match sender.hear_within(Duration::ZERO) {
        Err(ended) => of("the sender", &ended),
        Ok(_) => of(who, failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Script;

    fn see(victim: Victim, way: &str) -> Seen {
        let script = Script::new();
        Death { victim, size: 8 }.see(script.way(way), 2)
    }

    #[test]
    fn those_that_go_on_are_counted() {
        let seen = see(Victim::Receiver, "answers");
        // What it answers at once is no death in the midst of its work.
        assert_eq!(seen.end, Some(Failed::new("the receiver was done before it was killed")));
        let seen = see(Victim::Holder, "answers");
        assert_eq!((seen.kills, seen.told, seen.end), (2, 2, None));
        assert!(seen.longest > 0);
    }

    #[test]
    fn those_that_do_not_go_on_say_why() {
        assert_eq!(
            see(Victim::Holder, "raises").end.unwrap().0,
            "the next holder fails: script: out of luck"
        );
        let end = see(Victim::Sender, "dies").end.unwrap().0;
        assert!(end.ends_with("was killed by signal 9"), "{end}");
    }
}
