//! `mq_open` and its like.
#![allow(unsafe_code)] // Functions of mqueue.h.

use std::ffi::CString;
use std::hint::spin_loop;
use std::io::{Error, ErrorKind};
use std::mem::zeroed;
use std::ptr::null_mut;

use anyhow::{Context, Result, ensure};
use harness::{Keeps, Passing, Receiver, Sender, Terms, Wait};
use libc::{
    O_CREAT, O_NONBLOCK, O_RDWR, mode_t, mq_attr, mq_close, mq_open, mq_receive, mq_send, mq_unlink, mqd_t,
};

pub(crate) enum MessageQueue {}

impl Passing for MessageQueue {
    const NAME: &'static str = "message queue";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = false;
    type Sender = Queue;
    type Receiver = Queue;

    fn sender(terms: &Terms, lane: &str) -> Result<Queue> {
        Queue::open(terms, lane, 0)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Queue> {
        ensure!(terms.readers == 1, "a message goes to one reader");
        Queue::open(terms, lane, if terms.wait == Wait::Busy { O_NONBLOCK } else { 0 })
    }
}

/// As many as the kernel lets everybody have.
const MESSAGES: i64 = 10;

pub(crate) struct Queue {
    descriptor: mqd_t,
    name: CString,
    message: Vec<u8>,
}

impl Queue {
    fn open(terms: &Terms, lane: &str, flags: i32) -> Result<Self> {
        let name = CString::new(format!("/{lane}"))?;
        // SAFETY: numbers that may be zero.
        let mut attributes: mq_attr = unsafe { zeroed() };
        attributes.mq_maxmsg = MESSAGES;
        attributes.mq_msgsize = terms.size as i64;
        let mode: mode_t = 0o600;
        // SAFETY: a string that ends with zero, and attributes, as these flags ask for.
        let descriptor =
            unsafe { mq_open(name.as_ptr(), flags | O_CREAT | O_RDWR, mode, &raw const attributes) };
        if descriptor == -1 {
            return Err(Error::last_os_error())
                .with_context(|| format!("{MESSAGES} of {} bytes", terms.size));
        }
        Ok(Self { descriptor, name, message: vec![0; terms.size] })
    }
}

impl Sender for Queue {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        // SAFETY: an open queue, and as many bytes as is said.
        let sent = unsafe { mq_send(self.descriptor, message.as_ptr().cast(), message.len(), 0) };
        ensure!(sent == 0, "{}", Error::last_os_error());
        Ok(())
    }
}

impl Receiver for Queue {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        loop {
            let room = self.message.as_mut_ptr().cast();
            // SAFETY: an open queue, and as much room as is said.
            let received = unsafe { mq_receive(self.descriptor, room, self.message.len(), null_mut()) };
            if received >= 0 {
                return Ok(look(&self.message[..received as usize]));
            }
            let error = Error::last_os_error();
            ensure!(error.kind() == ErrorKind::WouldBlock, "{error}");
            spin_loop();
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: an open queue, which is not used any more; a string that ends with zero.
        let _ = unsafe { (mq_close(self.descriptor), mq_unlink(self.name.as_ptr())) };
    }
}
