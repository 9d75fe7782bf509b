//! A million messages that are nearly valid, through everything that reads messages.

use memlane_net::protocol::event::FromHost;
use memlane_net::protocol::hello::{ClientHello, HostHello, Reply};
use memlane_net::protocol::message::{Frame, Message};
use memlane_net::protocol::operation::{Outline, Request};
use serde_json::Value;

use crate::chance::Chance;
use crate::headers;
use crate::mutant::mutate;

const MUTANTS: u64 = 1_000_000;

/// As what a header can be read.
fn meanings(message: &Message) -> [bool; 6] {
    [
        message.header::<Outline>().is_ok(),
        message.header::<Request>().is_ok(),
        message.header::<ClientHello>().is_ok(),
        message.header::<HostHello>().is_ok(),
        message.header::<Reply>().is_ok(),
        message.header::<FromHost>().is_ok(),
    ]
}

#[test]
fn what_hostile_headers_are_made_of_is_valid() {
    for header in headers::all() {
        let message = Message::from_text(header.clone()).unwrap();
        assert!(meanings(&message)[1..].contains(&true) || header.contains("credit"), "{header}");
    }
}

#[test]
fn a_million_mutants_are_messages_or_errors() {
    let frames: Vec<Vec<u8>> = headers::all()
        .map(|header| serde_json::from_str::<Value>(&header).unwrap())
        .map(|header| match Frame::new(&header, b"the payload") {
            Frame::Binary(bytes) => bytes.to_vec(),
            Frame::Text(_) => panic!("it has a payload"),
        })
        .collect();
    let mut chance = Chance::new(1);
    let (mut messages, mut meant) = (0, 0);
    for _ in 0..MUTANTS {
        let mut bytes = frames[chance.below(frames.len() as u64) as usize].clone();
        let message = if chance.below(2) == 0 {
            mutate(&mut bytes, &mut chance);
            Message::from_binary(bytes.into())
        } else {
            bytes.drain(..4);
            mutate(&mut bytes, &mut chance);
            Message::from_text(bytes)
        };
        let Ok(message) = message else { continue };
        messages += 1;
        meant += u64::from(meanings(&message).contains(&true));
    }
    println!("of {MUTANTS} mutants, {messages} are messages, and {meant} mean something");
    // Else they are all refused at the door, and try nothing behind it.
    assert!(messages > MUTANTS / 2 && meant > MUTANTS / 20, "{messages} messages, {meant} with a meaning");
    assert!(meant < messages && messages < MUTANTS);
}
