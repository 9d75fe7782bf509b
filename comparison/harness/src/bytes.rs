//! Messages of streams of bytes.

use std::hint::spin_loop;
use std::io::{ErrorKind, Read};

use anyhow::Result;

/// Reads a message that is as long as the room for it, from what may give only a part at a time, or nothing yet. Says
/// whether there was one: there is none when whoever wrote is gone, whatever a part of the last one came.
pub fn read_message(source: &mut impl Read, message: &mut [u8]) -> Result<bool> {
    let mut filled = 0;
    while filled < message.len() {
        match source.read(&mut message[filled..]) {
            Ok(0) => return Ok(false),
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => spin_loop(),
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}
