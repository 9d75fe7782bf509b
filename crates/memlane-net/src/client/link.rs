//! A session with a host, over one connection after the other, shared by the threads that use it.
//!
//! Nobody reads for others by profession. Who asks writes the request, and then waits; of those who wait, one attends
//! to the socket: it sleeps in `poll` without the mutex, reads what came, gives the others theirs, and leaves its
//! place to one of them when its own answer has come. So an answer reaches the thread that wants it without a detour,
//! and one thread alone costs what a socket costs. Who finds the connection lost shuts the socket down, which ends
//! every `poll` on it; the [janitor](super::janitor) gets another one.
//!
//! Under the mutex is all the state, and nothing that waits.

use std::collections::HashMap;
use std::io;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use memlane::interruption;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Map, Value};
use tungstenite::{Message, WebSocket};

use super::bell::Bell;
use super::error::Error;
use super::greeting::{Greeted, lost_in_words, understood};
use super::options::{Address, Options};
use super::socket::shut_down;
use super::subscription::{Feed, Position};
use super::wire::Wire;
use crate::protocol::event::{Credit, Credits, FromHost};
use crate::protocol::fault::{self, Fault};
use crate::protocol::hello::{HostDescription, Welcome};
use crate::protocol::message::{Frame, MAX_REQUEST_HEADER};
use crate::protocol::operation::{Answer, Operation, Outcome};
use crate::protocol::outstanding::{Outstanding, Settled};

/// What an operation gives.
#[derive(Debug, Clone)]
pub(super) struct Done {
    /// Of `ok`.
    pub(super) fields: Map<String, Value>,
    pub(super) payload: Bytes,
    /// In which session: a lease holds in its own.
    pub(super) session: u64,
}

/// Requests that only the client itself begins: to end waits when no room is left.
const RESERVED: u64 = 8;
/// How long a sleep lasts that may have to be ended from within.
const SLICE: Duration = Duration::from_millis(40);
/// How long the answer to a `cancel` may take before nobody waits for it any more.
const CANCELLATION: Duration = Duration::from_secs(1);
/// How long a host may take to close the connection of a session that ends.
const FAREWELL: Duration = Duration::from_millis(500);
/// Messages that are taken in a row while nobody waits.
const MOST_AT_ONCE: usize = 256;
/// Bytes that the number, the acknowledgement and the length add to a header.
const NUMBERS: usize = 128;

#[derive(Debug)]
pub(super) struct Link {
    pub(super) address: Address,
    pub(super) options: Options,
    state: Mutex<State>,
    /// What the janitor sleeps on while there is no socket to poll.
    pub(super) janitor: Bell,
}

/// What the mutex guards.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Independent facts of one connection.
pub(super) struct State {
    pub(super) socket: Option<WebSocket<Wire>>,
    pub(super) host: HostDescription,
    pub(super) welcome: Welcome,
    /// Counts the sessions: a lease holds in its own.
    pub(super) session: u64,
    /// Counts the connections: a subscription's number holds in its own.
    pub(super) connection: u64,
    pub(super) outstanding: Outstanding<Whom>,
    pub(super) feeds: HashMap<u64, Feed>,
    newest_feed: u64,
    /// From the host's numbers of subscriptions to ours.
    routes: HashMap<u64, u64>,
    /// What of the socket somebody waits for in `poll`.
    attended: PollFlags,
    /// Those who wait and attend to nothing.
    sleepers: Vec<Arc<Bell>>,
    /// Bytes wait for the socket to take them.
    unflushed: bool,
    /// The socket was not read until it had nothing.
    leftover: bool,
    /// Somebody waits for room for another request.
    crowded: bool,
    /// Without a connection: since when, and why.
    pub(super) lost: Option<(Instant, String)>,
    /// The session is being ended: a connection that is lost is not missed.
    pub(super) leaving: bool,
    /// There will never be another connection.
    pub(super) end: Option<Error>,
}

/// Whom an answer is for.
#[derive(Debug, Clone)]
pub(super) enum Whom {
    Caller(Arc<Slot>),
    /// It begins this subscription.
    Feed(u64),
    /// Nobody any more; what it brings is given back.
    Nobody,
}

/// Where a caller finds its answer.
#[derive(Debug, Default)]
pub(super) struct Slot {
    answer: OnceLock<Result<Done, Error>>,
    woken: Arc<Bell>,
    /// Its present number, and how it is to be asked once more if it has to make room. Changed under the mutex only.
    course: Mutex<Course>,
}

#[derive(Debug, Default)]
struct Course {
    n: u64,
    begun: Option<Instant>,
    makes_room: bool,
}

/// Why a wait ended without what was waited for.
#[derive(Debug)]
pub(super) enum Stop {
    Interrupted,
    Late,
    Ended(Error),
}

/// For how long to wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Whatever happens.
    pub(super) deadline: Option<Instant>,
    /// While there is no connection.
    pub(super) offline: Option<Instant>,
    /// Of being without a connection.
    pub(super) patience: Option<Duration>,
    pub(super) interruptible: bool,
}

impl Link {
    pub(super) fn new(address: Address, options: Options, greeted: Greeted) -> Self {
        let Greeted { socket, host, welcome, .. } = greeted;
        let state = State {
            socket: Some(socket),
            host,
            welcome,
            session: 1,
            connection: 1,
            outstanding: Outstanding::default(),
            feeds: HashMap::new(),
            newest_feed: 0,
            routes: HashMap::new(),
            attended: PollFlags::empty(),
            sleepers: Vec::new(),
            unflushed: false,
            leftover: true,
            crowded: false,
            lost: None,
            leaving: false,
            end: None,
        };
        Self { address, options, state: Mutex::new(state), janitor: Bell::default() }
    }

    /// Nobody panics while holding it, but for a defect, which is not to become another one.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn limits(&self) -> Limits {
        Limits { deadline: None, offline: None, patience: self.options.patience, interruptible: true }
    }

    /// Asks, and waits for the answer. `session`: of the lease that the operation speaks of.
    pub(super) fn ask(
        &self,
        mut operation: Operation,
        payload: Bytes,
        session: Option<u64>,
    ) -> Result<Done, Error> {
        self.check_size(&operation, &payload)?;
        let timeout = operation.timeout_mut().and_then(|timeout| *timeout);
        let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let offline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let limits = Limits { offline, ..self.limits() };
        let slot = Arc::new(Slot::default());

        let (state, room) = self.wait(self.lock(), &slot.woken, limits, |state| state.make_room(self));
        let mut state = state;
        if let Err(stop) = room {
            return Err(self.error_of(stop, &state, None));
        }
        if session.is_some_and(|session| session != state.session) {
            return Err(self.fault(lease_ended()));
        }
        slot.begin(&mut state, operation.clone(), payload);
        state.send(self);
        let (mut state, answer) = self.wait(state, &slot.woken, limits, |_| slot.taken());
        let stop = match answer {
            Ok(answer) => return answer,
            Err(stop) => stop,
        };
        if matches!(stop, Stop::Interrupted) && state.socket.is_some() {
            state.cancel(&slot);
            state.send(self);
            let deadline = Some(Instant::now() + CANCELLATION);
            let limits = Limits { deadline, interruptible: false, ..limits };
            let (after, answer) = self.wait(state, &slot.woken, limits, |_| slot.taken());
            match answer {
                Ok(Err(Error::Fault { fault, .. })) if fault.code == fault::CANCELLED => {
                    return Err(Error::Interrupted { host: self.host() });
                }
                // It came first: what was taken is not lost.
                Ok(answer) => return answer,
                Err(_) => state = after,
            }
        }
        let n = slot.course().n;
        let may_be_done = state.outstanding.withdraw(n, Whom::Nobody);
        state.outstanding.begin(Operation::Cancel { request: n }, Bytes::new(), Whom::Nobody);
        state.send(self);
        Err(self.error_of(stop, &state, may_be_done.then_some(&operation)))
    }

    fn check_size(&self, operation: &Operation, payload: &Bytes) -> Result<(), Error> {
        let mut header = Counter(NUMBERS);
        // Our own types are always JSON.
        let _ = serde_json::to_writer(&mut header, operation);
        let most = self.lock().welcome.max_message;
        let too_large = |what, found, most| Err(Error::TooLarge { host: self.host(), what, found, most });
        match (header.0, header.0 + payload.len()) {
            (header, _) if header > MAX_REQUEST_HEADER => too_large("header", header, MAX_REQUEST_HEADER),
            (_, message) if message > most => too_large("message", message, most),
            _ => Ok(()),
        }
    }

    pub(super) fn fault(&self, fault: Fault) -> Error {
        Error::Fault { host: self.host(), fault }
    }

    /// `doubtful`: what may have been done or not.
    pub(super) fn error_of(&self, stop: Stop, state: &State, doubtful: Option<&Operation>) -> Error {
        match (stop, doubtful) {
            (Stop::Interrupted, _) => Error::Interrupted { host: self.host() },
            (Stop::Ended(error), None) => error,
            (_, Some(operation)) => self.unknown(operation, "the connection was lost"),
            (Stop::Late, None) => {
                let reason = state.lost.as_ref().map_or("it did not answer in time", |(_, why)| why);
                Error::Unreachable { host: self.host(), reason: reason.to_owned() }
            }
        }
    }

    pub(super) fn unknown(&self, operation: &Operation, reason: &str) -> Error {
        let id = operation.id().map(str::to_owned);
        let word =
            serde_json::to_value(operation).ok().and_then(|value| Some(value["op"].as_str()?.to_owned()));
        let operation = word.unwrap_or_default();
        Error::OutcomeUnknown { host: self.host(), operation, id, reason: reason.to_owned() }
    }

    /// Ends the session, so that what it holds is given back at once. The host closes the connection then.
    pub(super) fn leave(&self) {
        let mut state = self.lock();
        state.leaving = true;
        if state.socket.is_some() {
            state.outstanding.begin(Operation::Bye, Bytes::new(), Whom::Nobody);
            state.send(self);
            let deadline = Some(Instant::now() + FAREWELL);
            let limits = Limits { deadline, interruptible: false, ..self.limits() };
            let woken = Arc::<Bell>::default();
            state = self.wait(state, &woken, limits, |state| state.socket.is_none().then_some(())).0;
        }
        state.finish(Error::Closed { host: self.host() }, self);
    }

    /// Waits until `ready` gives something, and attends to the socket meanwhile if nobody else does. `woken`: what is
    /// notified when `ready` is to be asked again.
    pub(super) fn wait<'a, T>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        woken: &Arc<Bell>,
        limits: Limits,
        mut ready: impl FnMut(&mut State) -> Option<T>,
    ) -> (MutexGuard<'a, State>, Result<T, Stop>) {
        let outcome = loop {
            if let Some(found) = ready(&mut state) {
                break Ok(found);
            }
            let slice = match limits.slice(&state) {
                Ok(slice) => slice,
                Err(stop) => break Err(stop),
            };
            let mine = state.unattended();
            if mine.contains(PollFlags::IN) && state.leftover {
                state.read(self);
            } else if let Some(stream) = state.stream().filter(|_| !mine.is_empty()) {
                state.attended |= mine;
                drop(state);
                let came = attend(&stream, mine, slice);
                state = self.lock();
                state.attended -= mine;
                if came.intersects(PollFlags::OUT) {
                    state.flush(self);
                }
                if came.intersects(!PollFlags::OUT) && mine.contains(PollFlags::IN) {
                    state.read(self);
                }
            } else {
                state.sleepers.push(Arc::clone(woken));
                state = woken.sleep(state, slice);
                // Another thread may sleep on the same one.
                let place = state.sleepers.iter().position(|sleeper| Arc::ptr_eq(sleeper, woken));
                place.map(|place| state.sleepers.swap_remove(place));
            }
        };
        // Somebody has to go on.
        if !state.unattended().is_empty()
            && let Some(sleeper) = state.sleepers.last()
        {
            sleeper.ring();
        }
        (state, outcome)
    }
}

/// Sleeps until the socket is ready for something of `what`, or has hung up.
pub(super) fn attend(stream: &Arc<TcpStream>, what: PollFlags, slice: Option<Duration>) -> PollFlags {
    let slice = slice.and_then(|slice| Timespec::try_from(slice).ok());
    let mut polled = [PollFd::new(stream, what)];
    // A signal ends the slice.
    let _ = poll(&mut polled, slice.as_ref());
    polled[0].revents()
}

impl Limits {
    /// For how long one may sleep now, or why not.
    fn slice(&self, state: &State) -> Result<Option<Duration>, Stop> {
        if let Some(error) = &state.end {
            return Err(Stop::Ended(error.clone()));
        }
        if self.interruptible && interruption::is_requested() {
            return Err(Stop::Interrupted);
        }
        let offline = state.lost.as_ref().map(|(since, _)| {
            let patience = self.patience.and_then(|patience| since.checked_add(patience));
            [patience, self.offline].into_iter().flatten().min()
        });
        let deadline = [self.deadline, offline.flatten()].into_iter().flatten().min();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Stop::Late);
        }
        let slice = (self.interruptible && interruption::is_possible()).then_some(SLICE);
        Ok([left, slice].into_iter().flatten().min())
    }
}

impl Slot {
    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self) -> Option<Result<Done, Error>> {
        self.answer.get().cloned()
    }

    fn settle(&self, answer: Result<Done, Error>) {
        // The first one counts, and there is no second one.
        let _ = self.answer.set(answer);
        self.woken.ring();
    }

    fn begin(self: &Arc<Self>, state: &mut State, operation: Operation, payload: Bytes) {
        let n = state.outstanding.begin(operation, payload, Whom::Caller(Arc::clone(self)));
        *self.course() = Course { n, begun: Some(Instant::now()), makes_room: false };
    }
}

impl State {
    fn stream(&self) -> Option<Arc<TcpStream>> {
        self.socket.as_ref().map(|socket| Arc::clone(socket.get_ref().socket().stream()))
    }

    /// What of the socket is to be waited for, and is not.
    pub(super) fn unattended(&self) -> PollFlags {
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, self.socket.is_some());
        wanted.set(PollFlags::OUT, self.socket.is_some() && self.unflushed);
        wanted - self.attended
    }

    /// Whether another request may begin. If the oldest one waits for something and holds the others up, it is asked
    /// again behind them.
    fn make_room(&mut self, link: &Link) -> Option<()> {
        let most = self.welcome.max_in_flight as u64;
        let in_flight = self.outstanding.in_flight();
        if in_flight < most.saturating_sub(RESERVED).max(1) {
            return Some(());
        }
        self.crowded = true;
        if in_flight < most
            && let Some((n, operation, Whom::Caller(slot))) = self.outstanding.oldest()
            && operation.clone().timeout_mut().is_some()
            // Whoever leaves a barrier breaks it.
            && !matches!(operation, Operation::Meet { .. })
            && !std::mem::replace(&mut slot.course().makes_room, true)
        {
            self.outstanding.begin(Operation::Cancel { request: n }, Bytes::new(), Whom::Nobody);
            self.send(link);
        }
        None
    }

    fn cancel(&mut self, slot: &Slot) {
        let mut course = slot.course();
        course.makes_room = false;
        self.outstanding.begin(Operation::Cancel { request: course.n }, Bytes::new(), Whom::Nobody);
    }

    /// Sends what is still to be sent.
    pub(super) fn send(&mut self, link: &Link) {
        if self.socket.is_some() {
            for frame in self.outstanding.unsent(self.welcome.max_in_flight as u64) {
                self.write(frame, link);
            }
            self.flush(link);
        }
    }

    /// Says that answers arrived, and that events were dealt with.
    pub(super) fn acknowledge(&mut self, link: &Link) {
        if self.socket.is_some() && self.outstanding.untold() > 0 {
            let ack = self.outstanding.tell();
            self.write(Frame::new(&serde_json::json!({ "ack": ack }), b""), link);
            self.flush(link);
        }
    }

    pub(super) fn credit(&mut self, credit: Credit, link: &Link) {
        self.write(Frame::new(&Credits { credit: vec![credit] }, b""), link);
        self.flush(link);
    }

    pub(super) fn ping(&mut self, link: &Link) {
        if let Some(socket) = &mut self.socket {
            let written = socket.write(Message::Ping(Bytes::new()));
            self.check(written, link);
            self.flush(link);
        }
    }

    fn write(&mut self, frame: Frame, link: &Link) {
        let Some(socket) = &mut self.socket else { return };
        let written = socket.write(match frame {
            Frame::Text(text) => Message::text(text),
            Frame::Binary(bytes) => Message::Binary(bytes),
        });
        self.check(written, link);
    }

    fn flush(&mut self, link: &Link) {
        let Some(socket) = &mut self.socket else { return };
        self.unflushed = false;
        let flushed = socket.flush();
        self.check(flushed, link);
    }

    fn check(&mut self, written: tungstenite::Result<()>, link: &Link) {
        match written {
            Ok(()) => {}
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                self.unflushed = true;
            }
            Err(error) => self.lose(lost_in_words(&error), link),
        }
    }

    /// Takes a message from the socket, if there is one. Nobody else may be polling for it.
    pub(super) fn read(&mut self, link: &Link) {
        let Some(socket) = &mut self.socket else { return };
        let read = socket.get_mut().next();
        self.leftover = socket.get_ref().may_hold_more();
        match read {
            Ok(None) => self.leftover = false,
            Ok(Some(Message::Ping(payload))) => {
                let written = socket.write(Message::Pong(payload));
                self.check(written, link);
                self.flush(link);
            }
            Ok(Some(message)) => {
                match understood(message)
                    .map(|message| message.and_then(|message| Ok((message.header()?, message.payload))))
                {
                    None => {}
                    Some(Ok((header, payload))) => self.take(header, payload, link),
                    Some(Err(error)) => {
                        let error = Error::Misunderstood { host: link.host(), reason: error.to_string() };
                        self.finish(error, link);
                    }
                }
            }
            Err(error) => self.lose(lost_in_words(&error), link),
        }
    }

    /// Takes what came while nobody waits for anything. Nobody else may be polling for it.
    pub(super) fn drain(&mut self, link: &Link) {
        let mut left = MOST_AT_ONCE;
        self.leftover = true;
        while self.leftover && self.socket.is_some() && left > 0 {
            self.read(link);
            left -= 1;
        }
    }

    fn take(&mut self, message: FromHost, payload: Bytes, link: &Link) {
        match message {
            FromHost::Answer(answer) => self.take_answer(answer, payload, link),
            FromHost::Event(event) => {
                if let Some(feed) =
                    self.routes.get(&event.subscription).and_then(|key| self.feeds.get_mut(key))
                {
                    let position = Position {
                        connection: self.connection,
                        subscription: event.subscription,
                        event: event.event,
                    };
                    feed.push(position, event.body, payload);
                }
            }
            FromHost::End(end) => {
                if let Some(feed) =
                    self.routes.remove(&end.subscription).and_then(|key| self.feeds.get_mut(&key))
                {
                    feed.end(link.fault(end.end));
                }
            }
            FromHost::Refused { refused } => {
                let temporary = [fault::LIMIT, fault::SHUTTING_DOWN].contains(&refused.code.as_str());
                if temporary {
                    self.lose(refused.message, link);
                } else {
                    self.finish(Error::Refused { host: link.host(), fault: refused }, link);
                }
            }
        }
    }

    fn take_answer(&mut self, answer: Answer, payload: Bytes, link: &Link) {
        let Some(Settled { mut operation, payload: asked, whom, .. }) = self.outstanding.answered(answer.n)
        else {
            return;
        };
        match (whom, answer.outcome) {
            (Whom::Caller(slot), Outcome::Error(fault))
                if fault.code == fault::CANCELLED && slot.course().makes_room =>
            {
                let waited = slot.course().begun.map_or(Duration::ZERO, |begun| begun.elapsed());
                if let Some(Some(timeout)) = operation.timeout_mut() {
                    *timeout = (*timeout - waited.as_secs_f64()).max(0.0);
                }
                slot.begin(self, operation, asked);
            }
            (Whom::Caller(slot), Outcome::Ok(fields)) => {
                slot.settle(Ok(Done { fields, payload, session: self.session }));
            }
            (Whom::Caller(slot), Outcome::Error(fault)) => slot.settle(Err(link.fault(fault))),
            (Whom::Feed(key), Outcome::Ok(fields)) => self.begin_feed(key, fields, link),
            (Whom::Feed(key), Outcome::Error(fault)) => {
                if let Some(feed) = self.feeds.get_mut(&key) {
                    feed.end(link.fault(fault));
                }
            }
            (Whom::Nobody, Outcome::Ok(fields)) => {
                for lease in leases(&fields) {
                    self.outstanding.begin(Operation::Release { lease }, Bytes::new(), Whom::Nobody);
                }
            }
            (Whom::Nobody, Outcome::Error(_)) => {}
        }
        if self.outstanding.is_due() {
            self.send(link);
        }
        if std::mem::take(&mut self.crowded) {
            self.wake_all();
        }
    }

    fn begin_feed(&mut self, key: u64, fields: Map<String, Value>, link: &Link) {
        let Some(subscription) = fields.get("subscription").and_then(Value::as_u64) else {
            let reason = "expected the number of a subscription, found none".to_owned();
            return self.finish(Error::Misunderstood { host: link.host(), reason }, link);
        };
        if let Some(feed) = self.feeds.get_mut(&key) {
            feed.begin(subscription, fields);
            self.routes.insert(subscription, key);
        } else {
            self.outstanding.begin(Operation::Unsubscribe { subscription }, Bytes::new(), Whom::Nobody);
            self.send(link);
        }
    }

    /// Gives back a lease of that session, and does not wait until it is.
    pub(super) fn release(&mut self, lease: u64, session: u64, link: &Link) {
        if session == self.session && self.end.is_none() {
            self.outstanding.begin(Operation::Release { lease }, Bytes::new(), Whom::Nobody);
            self.send(link);
        }
    }

    /// Begins a subscription; its key.
    pub(super) fn add_feed(&mut self, feed: Feed, link: &Link) -> u64 {
        self.newest_feed += 1;
        let key = self.newest_feed;
        self.outstanding.begin(feed.operation(), Bytes::new(), Whom::Feed(key));
        self.feeds.insert(key, feed);
        self.send(link);
        key
    }

    pub(super) fn remove_feed(&mut self, key: u64, link: &Link) {
        if let Some(subscription) = self.feeds.remove(&key).and_then(|feed| feed.subscription())
            && self.routes.remove(&subscription).is_some()
        {
            self.outstanding.begin(Operation::Unsubscribe { subscription }, Bytes::new(), Whom::Nobody);
            self.send(link);
        }
    }

    /// There is no connection any more. Whoever polls the socket is woken by its end.
    pub(super) fn lose(&mut self, why: String, link: &Link) {
        let Some(socket) = self.socket.take() else { return };
        shut_down(socket.get_ref().socket().stream());
        self.lost = Some((Instant::now(), why));
        self.unflushed = false;
        self.routes.clear();
        self.wake_all();
        link.janitor.ring();
    }

    /// There is a connection again: with the same session, or with another one.
    pub(super) fn go_on(&mut self, greeted: Greeted, link: &Link) {
        let Greeted { socket, host, welcome, .. } = greeted;
        if welcome.resumed {
            self.outstanding.resume();
        } else {
            self.session += 1;
            let renumbered = |whom: &Whom, n| {
                if let Whom::Caller(slot) = whom {
                    slot.course().n = n;
                }
            };
            for Settled { operation, whom, sent, .. } in self.outstanding.restart(renumbered) {
                let error = if sent && operation.is_remembered() {
                    link.unknown(
                        &operation,
                        "the host has forgotten this client's session, as it does when it is started anew",
                    )
                } else {
                    link.fault(lease_ended())
                };
                if let Whom::Caller(slot) = whom {
                    slot.settle(Err(error));
                }
            }
        }
        (self.socket, self.host, self.welcome) = (Some(socket), host, welcome);
        self.connection += 1;
        self.leftover = true;
        self.lost = None;
        let again: Vec<_> =
            self.feeds.iter_mut().filter_map(|(key, feed)| Some((*key, feed.again()?))).collect();
        for (key, operation) in again {
            self.outstanding.begin(operation, Bytes::new(), Whom::Feed(key));
        }
        self.send(link);
        self.wake_all();
    }

    /// There will never be a connection again: everybody is told why.
    pub(super) fn finish(&mut self, error: Error, link: &Link) {
        for Settled { operation, whom, sent, .. } in self.outstanding.give_up() {
            if let Whom::Caller(slot) = whom {
                slot.settle(Err(if sent && operation.is_remembered() {
                    link.unknown(&operation, &error.to_string())
                } else {
                    error.clone()
                }));
            }
        }
        self.end.get_or_insert(error);
        self.lose("it ended".into(), link);
        self.wake_all();
        link.janitor.ring();
    }

    fn wake_all(&mut self) {
        self.sleepers.iter().for_each(|sleeper| sleeper.ring());
    }
}

/// What an answer brings that somebody has to give back.
fn leases(fields: &Map<String, Value>) -> impl Iterator<Item = u64> {
    let messages = fields.get("messages").and_then(Value::as_array).into_iter().flatten();
    let of_messages = messages.filter_map(|message| message.get("lease"));
    fields.get("lease").into_iter().chain(of_messages).filter_map(Value::as_u64)
}

pub(super) fn lease_ended() -> Fault {
    Fault::new(
        fault::LEASE_ENDED,
        "what was held is held no more: the host was started anew, or the connection was lost for longer than its grace time; take it again",
    )
}

/// Counts what is written.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
