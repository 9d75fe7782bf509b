//! The processes in which one way is measured, each pinned to a core; the protocol is [`harness`]'s.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use harness::{Order, READY, Round, Terms, monotonic};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};
use rustix::thread::{CpuSet, sched_getaffinity};

use crate::failed::{Failed, Outcome};
use crate::interrupt;
use crate::peers::Way;
use crate::place::Place;

/// In which all sides have read when the round begins.
const LEAD: Duration = Duration::from_millis(5);

/// How long a side that sees the end of its input may tidy up.
const LEAVE: Duration = Duration::from_millis(500);

/// How often Ctrl-C is looked for while nothing is heard.
const GLANCE: Duration = Duration::from_millis(100);

/// Some sides of a work, which begin at the same moment, as often as they are told.
pub(crate) struct Sides {
    each: Vec<Side>,
    heard: Receiver<(usize, Heard)>,
    /// Of those who have answered before the others have.
    lines: Vec<Option<String>>,
}

struct Side {
    child: Child,
    orders: Option<ChildStdin>,
    /// The last line of its standard error that says something.
    complaint: Option<String>,
    is_silent: bool,
}

enum Heard {
    Line(String),
    /// Nothing comes after its last line.
    End,
    Complaint(String),
    /// Nothing comes after its last complaint.
    Silence,
}

impl Sides {
    /// Starts them; the indexes say which sides of the work these are.
    pub(crate) fn start(
        way: Way,
        work: &str,
        terms: &Terms,
        place: &Place,
        indexes: &[usize],
    ) -> Outcome<Self> {
        let terms = Terms { name: place.name().to_owned(), ..terms.clone() };
        let terms = serde_json::to_string(&terms).map_err(|error| Failed(error.to_string()))?;
        let (say, heard) = mpsc::channel();
        // From now on whatever was started is ended, come what may.
        let mut sides = Self { each: Vec::new(), heard, lines: vec![None; indexes.len()] };
        for &index in indexes {
            let mut command = Command::new(way.program);
            command.args([
                "side",
                &way.offer.way,
                work,
                &index.to_string(),
                &core(index).to_string(),
                &terms,
            ]);
            command.env("MEMLANE_DIR", place.directory()).env("TMPDIR", place.directory());
            sides.each.push(Side::start(command, sides.each.len(), &say)?);
        }
        Ok(sides)
    }

    /// The first line that a program says.
    pub(crate) fn answer(command: Command, limit: Duration) -> Outcome<String> {
        let (say, heard) = mpsc::channel();
        let mut sides = Self { each: Vec::new(), heard, lines: vec![None] };
        sides.each.push(Side::start(command, 0, &say)?);
        sides.hear_lines(limit)?.and_then(|mut lines| lines.pop()).ok_or_else(|| hangs(limit))
    }

    /// Waits until all have opened what they need.
    pub(crate) fn ready(&mut self, limit: Duration) -> Outcome<()> {
        let lines = self.hear_lines(limit)?.ok_or_else(|| hangs(limit))?;
        match lines.iter().find(|line| *line != READY) {
            Some(line) => Err(Failed(format!("says {line:?} instead of {READY:?}"))),
            None => Ok(()),
        }
    }

    /// Tells all to do it so many times.
    pub(crate) fn tell(&mut self, count: u64) -> Outcome<()> {
        let lead = if self.each.len() > 1 { LEAD } else { Duration::ZERO };
        let order = Order { count, start: monotonic() + lead.as_nanos() as u64 };
        let line = serde_json::to_string(&order).map_err(|error| Failed(error.to_string()))?;
        for side in &mut self.each {
            // If it is gone, that is heard.
            let _ = side.orders.as_mut().map(|orders| writeln!(orders, "{line}"));
        }
        Ok(())
    }

    /// Waits until all have done it.
    pub(crate) fn hear(&mut self, limit: Duration) -> Outcome<Vec<Round>> {
        self.hear_within(limit)?.ok_or_else(|| hangs(limit))
    }

    /// Like [`Self::hear`]; none if they are still at it then.
    pub(crate) fn hear_within(&mut self, limit: Duration) -> Outcome<Option<Vec<Round>>> {
        let Some(lines) = self.hear_lines(limit)? else { return Ok(None) };
        let read = |line: &String| {
            serde_json::from_str(line).map_err(|error| Failed(format!("says {line:?}: {error}")))
        };
        lines.iter().map(read).collect::<Outcome<_>>().map(Some)
    }

    /// Waits until anybody says this on its standard error, in the midst of its work.
    pub(crate) fn hear_word(&mut self, word: &str, limit: Duration) -> Outcome<()> {
        let deadline = Instant::now() + limit;
        loop {
            match self.next(deadline)?.ok_or_else(|| hangs(limit))? {
                (_, Heard::Complaint(line)) if line == word => return Ok(()),
                (index, Heard::Complaint(line)) => self.each[index].complain(line),
                (index, Heard::Silence) => self.each[index].is_silent = true,
                (index, Heard::Line(line)) => self.lines[index] = Some(line),
                (index, Heard::End) => return Err(self.why_it_ended(index)),
            }
        }
    }

    /// SIGKILL for all; they are gone when this returns. What they have started lives on until these are dropped.
    pub(crate) fn kill(&mut self) {
        for side in &mut self.each {
            let _ = side.child.kill();
        }
        for side in &self.each {
            side.wait_to_be_gone(None);
        }
    }

    /// One line of each side, or none if some are silent; as soon as one of them fails, why, whatever the others wait
    /// for.
    fn hear_lines(&mut self, limit: Duration) -> Outcome<Option<Vec<String>>> {
        let deadline = Instant::now() + limit;
        while self.lines.iter().any(Option::is_none) {
            match self.next(deadline)? {
                None => return Ok(None),
                Some((index, Heard::Line(line))) => self.lines[index] = Some(line),
                Some((index, Heard::Complaint(line))) => self.each[index].complain(line),
                Some((index, Heard::Silence)) => self.each[index].is_silent = true,
                Some((index, Heard::End)) => return Err(self.why_it_ended(index)),
            }
        }
        Ok(Some(self.lines.iter_mut().filter_map(Option::take).collect()))
    }

    fn next(&self, deadline: Instant) -> Outcome<Option<(usize, Heard)>> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left.min(GLANCE)) {
                Ok(heard) => return Ok(Some(heard)),
                _ if interrupt::happened() => return Err(Failed::new("was interrupted")),
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
                Err(_) => return Ok(None),
            }
        }
    }

    /// Its last words, which may come after its end.
    fn why_it_ended(&mut self, index: usize) -> Failed {
        while !self.each[index].is_silent
            && let Ok((speaker, heard)) = self.heard.recv_timeout(GLANCE)
        {
            match heard {
                Heard::Complaint(line) => self.each[speaker].complain(line),
                Heard::Silence => self.each[speaker].is_silent = true,
                Heard::Line(_) | Heard::End => {}
            }
        }
        let side = &mut self.each[index];
        side.wait_to_be_gone(Some(LEAVE));
        if let Some(signal) = side.killed_by() {
            return Failed(format!("was killed by signal {signal}"));
        }
        Failed(
            side.complaint
                .take()
                .map_or("ended and said nothing".to_owned(), |complaint| format!("fails: {complaint}")),
        )
    }
}

impl Drop for Sides {
    fn drop(&mut self) {
        for side in &mut self.each {
            drop(side.orders.take());
        }
        let deadline = Instant::now() + LEAVE;
        for side in &mut self.each {
            side.wait_to_be_gone(Some(deadline.saturating_duration_since(Instant::now())));
            // What it has started is in its group, whose number is nobody else's until it is waited for.
            let _ = kill_process_group(side.id(), Signal::KILL);
            let _ = side.child.wait();
        }
    }
}

impl Side {
    fn start(mut command: Command, index: usize, say: &Sender<(usize, Heard)>) -> Outcome<Self> {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        let mut child = child.map_err(|error| Failed(format!("cannot be started: {error}")))?;
        let orders = child.stdin.take();
        if let (Some(lines), Some(complaints)) = (child.stdout.take(), child.stderr.take()) {
            listen(lines, index, say, Heard::Line, Heard::End);
            listen(complaints, index, say, Heard::Complaint, Heard::Silence);
        }
        Ok(Self { child, orders, complaint: None, is_silent: false })
    }

    fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Leaves its number taken.
    fn wait_to_be_gone(&self, limit: Option<Duration>) {
        let Ok(process) = pidfd_open(self.id(), PidfdFlags::empty()) else { return };
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let _ = poll(&mut [PollFd::new(&process, PollFlags::IN)], limit.as_ref());
    }

    /// The signal that ended it; its number is left taken.
    fn killed_by(&self) -> Option<i32> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        waitid(WaitId::Pid(self.id()), options).ok().flatten()?.terminating_signal()
    }

    fn complain(&mut self, line: String) {
        if !line.trim().is_empty() && !line.starts_with("note: ") {
            self.complaint = Some(line);
        }
    }
}

fn hangs(limit: Duration) -> Failed {
    Failed(format!("hangs: nothing was heard of it for {} s", limit.as_secs_f64()))
}

/// Says what comes; the thread ends with what it reads from.
fn listen(
    output: impl Read + Send + 'static,
    index: usize,
    say: &Sender<(usize, Heard)>,
    heard: fn(String) -> Heard,
    end: Heard,
) {
    let say = say.clone();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if say.send((index, heard(line))).is_err() {
                return;
            }
        }
        let _ = say.send((index, end));
    });
}

/// The first side has a core for itself; the others share another one, if there are more of them than two.
fn core(index: usize) -> usize {
    let cores = cores();
    cores[index.min(cores.len() - 1)]
}

/// The two cores on which everything is measured; one, where there are no more.
pub(crate) fn cores() -> Vec<usize> {
    let allowed = sched_getaffinity(None).unwrap_or_default();
    let mut cores: Vec<_> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).take(2).collect();
    if cores.is_empty() {
        cores.push(0);
    }
    cores
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Script;

    const SOON: Duration = Duration::from_millis(300);
    const LONG: Duration = Duration::from_mins(1);

    fn ready(script: &Script, way: &str) -> (Place, Sides) {
        let place = Place::new().unwrap();
        let mut sides =
            Sides::start(script.way(way), "round trip", &Terms::default(), &place, &[0, 1]).unwrap();
        // The last thing that they do before is to start what they start.
        sides.ready(LONG).unwrap();
        (place, sides)
    }

    fn failure(script: &Script, way: &str, limit: Duration) -> String {
        let (_place, mut sides) = ready(script, way);
        sides.tell(1).unwrap();
        sides.hear(limit).unwrap_err().0
    }

    #[test]
    fn sides_answer_as_often_as_they_are_told() {
        let script = Script::new();
        let (_place, mut sides) = ready(&script, "answers");
        for _ in 0..3 {
            sides.tell(5).unwrap();
            let rounds = sides.hear(LONG).unwrap();
            assert_eq!(rounds.iter().map(|round| round.cpu).collect::<Vec<_>>(), [7, 7]);
        }
    }

    #[test]
    fn one_that_fails_says_why() {
        let script = Script::new();
        assert_eq!(failure(&script, "raises", LONG), "fails: script: out of luck");
        assert_eq!(failure(&script, "dies", LONG), "was killed by signal 9");
        assert_eq!(failure(&script, "mute", LONG), "ended and said nothing");
        assert_eq!(failure(&script, "hangs", SOON), "hangs: nothing was heard of it for 0.3 s");
    }

    #[test]
    fn one_that_never_opens_hangs() {
        let (script, place) = (Script::new(), Place::new().unwrap());
        let way = script.way("never opens");
        let mut sides = Sides::start(way, "round trip", &Terms::default(), &place, &[0]).unwrap();
        assert!(sides.ready(SOON).unwrap_err().0.starts_with("hangs"));
    }

    /// A server that a peer starts must not outlive the measurement.
    #[test]
    fn what_a_side_has_started_ends_with_it() {
        let script = Script::new();
        let (place, mut sides) = ready(&script, "leaves");
        let started = std::fs::read_to_string(place.directory().join("started")).unwrap();
        let lives = || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", started.trim()));
            status.is_ok_and(|status| !status.contains("State:\tZ"))
        };
        sides.kill();
        assert!(lives(), "it has ended with the side");
        drop(sides);
        let deadline = Instant::now() + LONG;
        while lives() {
            assert!(Instant::now() < deadline, "it lives on");
            thread::yield_now();
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure() {
        let (script, place) = (Script::new(), Place::new().unwrap());
        let way = Way { program: std::path::Path::new("no-such-program"), ..script.way("answers") };
        let failed = Sides::start(way, "round trip", &Terms::default(), &place, &[0]).err().unwrap();
        assert!(failed.0.starts_with("cannot be started"), "{failed}");
    }
}
