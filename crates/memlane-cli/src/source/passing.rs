//! What is waited for and taken.

use std::time::Duration;

use memlane::queue::Message;
use memlane::{Error, Event, Observer, Queue, Semaphore, SignalSemaphore, StreamPublisher, Tag};
use memlane_net::client::{self, Client};

use super::Source;
use crate::failure::{Failure, Outcome};
use crate::rate::refuse_removed;

/// Why there is no message.
#[derive(Debug)]
pub(crate) enum Taken {
    /// The queue is closed and empty.
    Ended(Failure),
    Failed(Failure),
}

impl Source {
    pub(crate) fn put(&self, id: &str, tag: Tag, bytes: &[u8], timeout: Option<Duration>) -> Outcome {
        match self {
            Self::Here(space) => Ok(Queue::open(space, id)?.put_tagged(tag, bytes, timeout)?),
            Self::There(client) => Ok(client.queue(id).put_tagged(tag, bytes.to_vec(), timeout)?),
        }
    }

    pub(crate) fn close(&self, id: &str) -> Outcome {
        match self {
            Self::Here(space) => Queue::open(space, id)?.close(),
            Self::There(client) => client.queue(id).close()?,
        }
        Ok(())
    }

    /// The oldest messages, which stay there.
    pub(crate) fn peek(&self, id: &str, most: u64) -> Outcome<Vec<Message>> {
        match self {
            Self::Here(space) => Ok(Observer::open(space, id)?.peek(most as usize)?),
            Self::There(client) => {
                let most = u32::try_from(most).unwrap_or(u32::MAX);
                Ok(client.queue(id).peek(most)?.iter().map(message).collect())
            }
        }
    }

    /// Takes a message. Where messages are acknowledged, it is when `done` has dealt with it.
    pub(crate) fn take(
        &self,
        id: &str,
        timeout: Option<Duration>,
        done: impl FnOnce(&Message) -> Outcome,
    ) -> Result<(), Taken> {
        match self {
            Self::Here(space) => {
                let queue = Queue::open(space, id)?;
                if !queue.state().acknowledged {
                    return Ok(done(&queue.get(timeout)?)?);
                }
                let lease = queue.lease(timeout)?;
                let mut message = Message::default();
                message.tag = lease.tag();
                message.bytes.extend_from_slice(lease.bytes());
                message.redelivered = lease.redelivered();
                done(&message)?;
                Ok(lease.acknowledge()?)
            }
            Self::There(client) => {
                let queue = client.queue(id);
                if !is_acknowledged(client, id)? {
                    return Ok(done(&message(&queue.get(timeout)?))?);
                }
                let leased = queue.get_leased(timeout)?;
                done(&message(leased.message()))?;
                leased.acknowledge()?;
                Ok(())
            }
        }
    }

    pub(crate) fn set_event(&self, id: &str) -> Outcome {
        match self {
            Self::Here(space) => Event::open(space, id)?.set(),
            Self::There(client) => client.event(id).set()?,
        }
        Ok(())
    }

    pub(crate) fn clear_event(&self, id: &str) -> Outcome {
        match self {
            Self::Here(space) => _ = Event::open(space, id)?.clear(),
            Self::There(client) => _ = client.event(id).clear()?,
        }
        Ok(())
    }

    pub(crate) fn wait_for_event(&self, id: &str, timeout: Option<Duration>) -> Outcome {
        match self {
            Self::Here(space) => Ok(Event::open(space, id)?.wait(timeout)?),
            Self::There(client) => Ok(client.event(id).wait(timeout)?),
        }
    }

    /// Raises a semaphore of signals.
    pub(crate) fn raise(&self, id: &str, count: u32) -> Outcome {
        match self {
            Self::Here(space) => Ok(SignalSemaphore::open(space, id)?.release(count)?),
            Self::There(client) => Ok(client.semaphore(id).raise(count)?),
        }
    }

    /// Takes a token of a semaphore of signals.
    pub(crate) fn take_token(&self, id: &str, timeout: Option<Duration>) -> Outcome {
        match self {
            Self::Here(space) => Ok(SignalSemaphore::open(space, id)?.acquire(timeout)?),
            Self::There(client) => Ok(client.semaphore(id).acquire(1, timeout).map(drop)?),
        }
    }

    /// Runs `body` while permits are held.
    pub(crate) fn with_permits(
        &self,
        id: &str,
        count: u32,
        timeout: Option<Duration>,
        body: impl FnOnce() -> Outcome,
    ) -> Outcome {
        match self {
            Self::Here(space) => {
                let semaphore = Semaphore::open(space, id)?;
                let _permits = semaphore.acquire(count, timeout)?;
                body()
            }
            Self::There(client) => {
                let permits = client.semaphore(id).acquire(count, timeout)?;
                let outcome = body();
                // Whoever waits for them is not to wait for this program's end too.
                permits.release()?;
                outcome
            }
        }
    }

    /// A way to append records to a stream, as its schema says: the number of each.
    pub(crate) fn appender(
        &self,
        id: &str,
        timeout: Option<Duration>,
    ) -> Outcome<Box<dyn FnMut(&[u8]) -> Outcome<u64>>> {
        match self {
            Self::Here(space) => {
                let mut publisher = StreamPublisher::open(space, id)?.patience(timeout);
                Ok(Box::new(move |record| Ok(publisher.append(record)?)))
            }
            Self::There(client) => {
                let mut publisher = client.stream(id).publisher();
                Ok(Box::new(move |record| Ok(publisher.append(record.to_vec())?)))
            }
        }
    }

    /// A stream to be read.
    pub(crate) fn records(&self, id: &str) -> Outcome<Recorded> {
        Ok(match self {
            Self::Here(space) => Recorded::Here(Observer::open(space, id)?),
            Self::There(client) => Recorded::There(client.stream(id)),
        })
    }
}

/// A stream to be read.
pub(crate) enum Recorded {
    Here(Observer),
    There(client::Stream),
}

impl Recorded {
    /// Records from number `since` on: the number of the first, how many were lost before it, their bytes.
    pub(crate) fn from(&self, since: u64, most: u64) -> Outcome<(u64, u64, Vec<u8>)> {
        match self {
            Self::Here(observer) => {
                let records = observer.records(since, most)?;
                Ok((records.first, records.lost, records.bytes))
            }
            Self::There(stream) => {
                let most = u32::try_from(most).unwrap_or(u32::MAX);
                let batch = stream.records(Some(since), most)?;
                Ok((batch.first, batch.lost, batch.bytes.to_vec()))
            }
        }
    }

    /// A stream at a host that was removed is not found by the next look.
    pub(crate) fn refuse_removed(&self) -> Outcome {
        match self {
            Self::Here(observer) => refuse_removed(observer),
            Self::There(_) => Ok(()),
        }
    }
}

fn is_acknowledged(client: &Client, id: &str) -> Result<bool, client::Error> {
    let sheet = client.describe(id)?;
    Ok(sheet["state"]["acknowledged"].as_bool().unwrap_or(false))
}

fn message(sent: &client::Message) -> Message {
    let mut message = Message::default();
    let tags = [Tag::Utf8, Tag::Json, Tag::Pickle];
    message.tag = tags.into_iter().find(|tag| tag.name() == sent.tag).unwrap_or(Tag::Bytes);
    message.bytes.extend_from_slice(&sent.bytes);
    message.redelivered = sent.redelivered;
    message
}

impl From<Error> for Taken {
    fn from(error: Error) -> Self {
        match error {
            Error::Closed { .. } => Self::Ended(error.into()),
            other => Self::Failed(other.into()),
        }
    }
}

impl From<client::Error> for Taken {
    fn from(error: client::Error) -> Self {
        if error.code() == Some("closed") { Self::Ended(error.into()) } else { Self::Failed(error.into()) }
    }
}

impl From<Failure> for Taken {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
