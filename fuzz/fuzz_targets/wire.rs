//! Hostile bytes between client and host: a message or an error, whoever reads it as whatever.
//!
//! The corpus begins with a message of each sort.
#![no_main]

#[path = "../../crates/memlane-net/tests/hostile/headers.rs"]
mod headers;

use libfuzzer_sys::fuzz_target;
use memlane_net::protocol::event::FromHost;
use memlane_net::protocol::hello::{ClientHello, HostHello, Reply};
use memlane_net::protocol::message::{Malformed, Message};
use memlane_net::protocol::operation::{Outline, Request};
use std::path::Path;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/wire");
/// Bytes of the length before a binary message's header.
const LENGTH: usize = 4;

fuzz_target!(init: sow(), |bytes: &[u8]| {
    understand(Message::from_text(bytes.to_vec()), bytes.len());
    understand(Message::from_binary(bytes.to_vec().into()), bytes.len().saturating_sub(LENGTH));
});

fn understand(message: Result<Message, Malformed>, size: usize) {
    let Ok(message) = message else { return };
    assert_eq!(message.header_len() + message.payload.len(), size);
    let _ = message.header::<Outline>();
    let _ = message.header::<ClientHello>();
    let _ = message.header::<HostHello>();
    let _ = message.header::<Reply>();
    let _ = message.header::<FromHost>();
    if let Ok(mut request) = message.header::<Request>() {
        let operation = &mut request.operation;
        let _ = (operation.is_remembered(), operation.access(), operation.timeout_mut());
        let _ = operation.id();
    }
}

/// Lets the corpus begin with valid messages, as text and with a payload.
fn sow() {
    std::fs::create_dir_all(CORPUS).expect("the corpus is writable");
    for (number, header) in headers::all().enumerate() {
        let length = (header.len() as u32).to_le_bytes();
        let binary = [&length, header.as_bytes(), b"payload!"].concat();
        let path = |form: &str| Path::new(CORPUS).join(format!("{number}-{form}"));
        std::fs::write(path("text"), header).expect("the corpus is writable");
        std::fs::write(path("binary"), binary).expect("the corpus is writable");
    }
}
