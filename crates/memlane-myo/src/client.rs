//! Commands and events over a transport.
//!
//! One command is in flight at a time; the next packet of its class and number that is no event is its response, and
//! any other response is a late one and dropped. Events are queued as they come, also those that come before a
//! response, and each leaves the queue once: by [`Client::next_event`], or by the wait that it was for.

use crate::bgapi::{Command, Decoder, Event, Packet, PacketKind, Response, ResultCode, Source, ValueType};
use crate::error::{Error, Result};
use crate::stop::{LOOK, Stop};
use crate::transport::Transport;
use memlane::Timestamp;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a dongle has to say that it has understood.
const RESPONSE_PATIENCE: Duration = Duration::from_secs(1);
/// How long an armband has to read or write an attribute: three times its supervision timeout.
const ATTRIBUTE_PATIENCE: Duration = Duration::from_secs(2);
/// A packet whose rest has not come in this time never was one.
const PACKET_PATIENCE: Duration = Duration::from_millis(250);
/// More than a dongle sends between two looks.
const READ_SIZE: usize = 4096;

/// An event, and when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What it says.
    pub event: Event,
    /// Nanoseconds of the monotonic clock at which its last byte was read.
    pub at: u64,
}

/// A dongle, spoken to.
#[derive(Debug)]
pub struct Client<T> {
    transport: T,
    decoder: Decoder,
    events: VecDeque<Received>,
    stop: Stop,
    /// When bytes last came: nanoseconds of the monotonic clock, and to measure from.
    arrived: (u64, Instant),
}

impl<T: Transport> Client<T> {
    /// A client that ends any wait with [`Error::Stopped`] when `stop` is requested.
    pub fn new(transport: T, stop: Stop) -> Self {
        let decoder = Decoder::new(Source::Dongle);
        Self { transport, decoder, events: VecDeque::new(), stop, arrived: (0, Instant::now()) }
    }

    /// Bytes that belonged to no packet.
    pub fn skipped(&self) -> u64 {
        self.decoder.skipped()
    }

    /// Sends a command and waits for its response. A result other than success is [`Error::Refused`].
    pub fn request(&mut self, command: &Command) -> Result<Response> {
        let response = self.ask(command)?;
        match response.result() {
            ResultCode::SUCCESS => Ok(response),
            result => Err(Error::Refused { what: command.to_string(), result }),
        }
    }

    /// Sends a command and waits for its response, whatever that says.
    pub fn ask(&mut self, command: &Command) -> Result<Response> {
        // What is there already answers nothing.
        self.sort_packets(|_| None::<()>);
        self.transport.send(&command.to_packet().to_bytes())?;
        let what = || format!("the response to {command}");
        let mut refusal = None;
        let answer = self.wait(RESPONSE_PATIENCE, what, |packet| match Response::from_packet(packet) {
            Some(response) => (response.number() == command.number()).then_some(response),
            None => match Event::from_packet(packet) {
                Some(Event::ProtocolError { reason }) => {
                    refusal = Some(reason);
                    Some(Response::to(command, 0, reason))
                }
                _ => None,
            },
        })?;
        match refusal {
            Some(result) => Err(Error::Refused { what: command.to_string(), result }),
            None => Ok(answer),
        }
    }

    /// Takes the oldest event; waits up to `timeout` for one.
    pub fn next_event(&mut self, timeout: Duration) -> Result<Option<Received>> {
        let end = Instant::now() + timeout;
        loop {
            self.sort_packets(|_| None::<()>);
            if let Some(received) = self.events.pop_front() {
                return Ok(Some(received));
            }
            if !self.receive_until(end)? {
                return Ok(None);
            }
        }
    }

    /// Takes the first event of that class and number that fits the filter; waits up to `timeout` for it. The others
    /// stay in the queue, in their order.
    pub fn wait_event(
        &mut self,
        class: u8,
        command: u8,
        filter: impl Fn(&Event) -> bool,
        timeout: Duration,
    ) -> Result<Received> {
        self.take_event(
            timeout,
            || format!("event {class}/{command}"),
            |event| event.number() == (class, command) && filter(event),
        )
    }

    /// Reads an attribute of the device in slot `connection`.
    pub fn read_attribute(&mut self, connection: u8, handle: u16) -> Result<Vec<u8>> {
        let command = Command::ReadByHandle { connection, handle };
        self.request(&command)?;
        let is_value = |event: &Event| match event {
            Event::AttributeValue { connection: slot, handle: attribute, value_type, .. } => {
                (*slot, *attribute, *value_type) == (connection, handle, ValueType::Read)
            }
            _ => false,
        };
        let event = self.finish(&command, connection, handle, is_value)?;
        match event {
            Event::AttributeValue { value, .. } => Ok(value),
            _ => Err(Error::Malformed {
                expected: "an attribute's value",
                found: event.to_packet().to_bytes(),
            }),
        }
    }

    /// Writes an attribute of the device in slot `connection`, and waits until the device has it.
    pub fn write_attribute(&mut self, connection: u8, handle: u16, value: &[u8]) -> Result<()> {
        let command = Command::AttributeWrite { connection, handle, value: value.to_vec() };
        self.request(&command)?;
        self.finish(&command, connection, handle, |_| false).map(drop)
    }

    /// Waits for the end of what a command began: what `is_wanted`, or the completed procedure, or the connection's
    /// end.
    fn finish(
        &mut self,
        command: &Command,
        connection: u8,
        handle: u16,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> Result<Event> {
        let ends = |event: &Event| match event {
            Event::ProcedureCompleted { connection: slot, handle: attribute, .. } => {
                (*slot, *attribute) == (connection, handle)
            }
            Event::Disconnected { connection: slot, .. } => *slot == connection,
            event => is_wanted(event),
        };
        let event = self.take_event(ATTRIBUTE_PATIENCE, || format!("the end of {command}"), ends)?.event;
        match event {
            Event::ProcedureCompleted { result, .. } if !result.is_success() => {
                Err(Error::Refused { what: command.to_string(), result })
            }
            Event::Disconnected { reason, .. } => Err(Error::Disconnected { reason }),
            event => Ok(event),
        }
    }

    fn take_event(
        &mut self,
        timeout: Duration,
        what: impl FnOnce() -> String,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> Result<Received> {
        let started = Instant::now();
        let mut seen = 0;
        loop {
            self.sort_packets(|_| None::<()>);
            let found = self.events.iter().skip(seen).position(|received| is_wanted(&received.event));
            if let Some(event) = found.and_then(|place| self.events.remove(seen + place)) {
                return Ok(event);
            }
            seen = self.events.len();
            if !self.receive_until(started + timeout)? {
                return Err(Error::Timeout { what: what(), waited: started.elapsed() });
            }
        }
    }

    fn wait<R>(
        &mut self,
        timeout: Duration,
        what: impl FnOnce() -> String,
        mut answer: impl FnMut(&Packet) -> Option<R>,
    ) -> Result<R> {
        let started = Instant::now();
        loop {
            if let Some(answer) = self.sort_packets(&mut answer) {
                return Ok(answer);
            }
            if !self.receive_until(started + timeout)? {
                return Err(Error::Timeout { what: what(), waited: started.elapsed() });
            }
        }
    }

    /// Queues the events that have come, up to the packet that is an answer, if one is.
    fn sort_packets<R>(&mut self, mut answer: impl FnMut(&Packet) -> Option<R>) -> Option<R> {
        while let Some(packet) = self.decoder.next_packet() {
            if let Some(answer) = answer(&packet) {
                return Some(answer);
            }
            if packet.kind == PacketKind::Event {
                let at = self.arrived.0;
                self.events.extend(Event::from_packet(&packet).map(|event| Received { event, at }));
            }
        }
        None
    }

    /// Takes bytes; `false` when none came until then.
    fn receive_until(&mut self, end: Instant) -> Result<bool> {
        let mut bytes = [0; READ_SIZE];
        loop {
            if self.stop.is_requested() {
                return Err(Error::Stopped);
            }
            let left = end.saturating_duration_since(Instant::now());
            let count = self.transport.receive(&mut bytes, left.min(LOOK))?;
            if count > 0 {
                self.arrived = (Timestamp::now().monotonic, Instant::now());
                self.decoder.push(&bytes[..count]);
                return Ok(true);
            }
            if self.decoder.is_unfinished() && self.arrived.1.elapsed() > PACKET_PATIENCE {
                self.decoder.give_up();
                return Ok(true);
            }
            if left.is_zero() {
                return Ok(false);
            }
        }
    }

    /// The last command before the end, also when a stop was requested: sent, and its response not waited for.
    pub(crate) fn send_last(&mut self, command: &Command) -> Result<()> {
        self.transport.send(&command.to_packet().to_bytes())
    }
}
