//! Hostile bytes for the original manager's protocol: what clients send, in any pieces, and what hosts send.
//!
//! The first byte says how long the pieces are; the pieces must make no difference.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memlane_net::legacy::metadata::Metadata;
use memlane_net::legacy::reply::content_of;
use memlane_net::legacy::request::{Parser, Request};

fuzz_target!(|bytes: &[u8]| {
    let Some((size, stream)) = bytes.split_first() else { return };
    let size = usize::from(*size).max(1);
    assert_eq!(parse(stream.chunks(size)), parse([stream]));
    let _ = content_of(stream);
    let _ = Metadata::parse(&String::from_utf8_lossy(stream));
});

fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Request> {
    let mut parser = Parser::default();
    let mut requests = Vec::new();
    for mut piece in pieces {
        while let Some(request) = parser.take(&mut piece) {
            requests.push(request);
        }
    }
    requests.extend(parser.finish());
    requests
}
