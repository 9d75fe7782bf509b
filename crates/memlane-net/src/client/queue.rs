//! Messages, each taken once.

use std::time::Duration;

use bytes::Bytes;
use memlane::Tag;
use serde::Deserialize;

use super::error::{Error, Result};
use super::lease::Lease;
use super::link::Done;
use super::place::{Place, seconds};
use crate::protocol::operation::Operation;

/// A queue.
#[derive(Debug, Clone)]
pub struct Queue(pub(super) Place);

/// A message, which is this client's now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What the bytes are said to be.
    pub tag: String,
    /// The message.
    pub bytes: Bytes,
    /// How often it was handed out before, to somebody who did not acknowledge it.
    pub redelivered: u32,
}

/// A message that is another's again unless it is acknowledged.
#[derive(Debug)]
#[must_use = "a message that is dropped is handed out again"]
pub struct LeasedMessage {
    message: Message,
    lease: Lease,
}

/// A message as an answer describes it.
#[derive(Deserialize)]
struct Description {
    tag: String,
    length: usize,
    #[serde(default)]
    redelivered: u32,
    lease: Option<u64>,
}

impl Queue {
    /// Waits for room and puts bytes.
    pub fn put(&self, bytes: impl Into<Bytes>, timeout: Option<Duration>) -> Result<()> {
        self.put_tagged(Tag::Bytes, bytes, timeout)
    }

    /// Waits for room and puts a message.
    pub fn put_tagged(&self, tag: Tag, bytes: impl Into<Bytes>, timeout: Option<Duration>) -> Result<()> {
        let (tag, timeout) = (tag.name().to_owned(), seconds(timeout));
        let operation = Operation::Put { id: self.0.id.clone(), tag, lengths: Vec::new(), timeout };
        self.0.ask_with(operation, bytes.into()).map(drop)
    }

    /// Waits for a message and takes it. On a queue that keeps messages until then, it is acknowledged.
    pub fn get(&self, timeout: Option<Duration>) -> Result<Message> {
        let (message, _, _) = self.first(self.ask(1, false, timeout)?)?;
        Ok(message)
    }

    /// Waits for a message and takes it, and up to `most` that are there.
    pub fn get_many(&self, most: u32, timeout: Option<Duration>) -> Result<Vec<Message>> {
        let messages = self.messages(self.ask(most, false, timeout)?)?;
        Ok(messages.into_iter().map(|(message, _)| message).collect())
    }

    /// Waits for a message and takes it until it is acknowledged.
    pub fn get_leased(&self, timeout: Option<Duration>) -> Result<LeasedMessage> {
        let (message, lease, session) = self.first(self.ask(1, true, timeout)?)?;
        let lease = lease.ok_or_else(|| self.misunderstood("expected a lease, found none"))?;
        Ok(LeasedMessage { message, lease: Lease::new(self.0.client.clone(), lease, session) })
    }

    /// The oldest messages, up to `most`, which stay there.
    pub fn peek(&self, most: u32) -> Result<Vec<Message>> {
        let messages = self.messages(self.0.ask(Operation::Peek { id: self.0.id.clone(), most })?)?;
        Ok(messages.into_iter().map(|(message, _)| message).collect())
    }

    /// Nothing more can be put.
    pub fn close(&self) -> Result<()> {
        self.0.ask(Operation::Close { id: self.0.id.clone() }).map(drop)
    }

    /// The region, for what all kinds have.
    pub fn place(&self) -> &Place {
        &self.0
    }

    fn ask(&self, most: u32, leased: bool, timeout: Option<Duration>) -> Result<Done> {
        let timeout = seconds(timeout);
        self.0.ask(Operation::Get { id: self.0.id.clone(), most, leased, timeout })
    }

    fn first(&self, done: Done) -> Result<(Message, Option<u64>, u64)> {
        let session = done.session;
        let first = self.messages(done)?.into_iter().next();
        let (message, lease) = first.ok_or_else(|| self.misunderstood("expected a message, found none"))?;
        Ok((message, lease, session))
    }

    fn messages(&self, mut done: Done) -> Result<Vec<(Message, Option<u64>)>> {
        let descriptions: Vec<Description> = self.0.take(&mut done, "messages")?;
        let mut rest = done.payload;
        let taken_apart = descriptions.into_iter().map(|Description { tag, length, redelivered, lease }| {
            if length > rest.len() {
                return Err(self.misunderstood("the messages are longer than the payload"));
            }
            Ok((Message { tag, bytes: rest.split_to(length), redelivered }, lease))
        });
        taken_apart.collect()
    }

    fn misunderstood(&self, reason: &str) -> Error {
        Error::Misunderstood { host: self.0.client.link().host(), reason: reason.to_owned() }
    }
}

impl LeasedMessage {
    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Says that it was dealt with.
    pub fn acknowledge(self) -> Result<Message> {
        let lease = self.lease.number();
        self.lease.end(Operation::Acknowledge { lease })?;
        Ok(self.message)
    }
}
