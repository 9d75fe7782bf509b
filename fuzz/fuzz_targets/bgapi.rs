//! Hostile bytes from a dongle, or to one: packets or nothing, each with a meaning that is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memlane_myo::bgapi::{Command, Decoder, Event, HEADER_SIZE, Response, Source};
use memlane_myo::myo::{Control, Notification};

fuzz_target!(|bytes: &[u8]| {
    for source in [Source::Dongle, Source::Host] {
        let mut decoder = Decoder::new(source);
        let mut packed = 0;
        // The first byte says in what pieces the others come.
        for piece in bytes.chunks(bytes.first().map_or(1, |size| usize::from(*size).max(1))) {
            decoder.push(piece);
            while let Some(packet) = decoder.next_packet() {
                packed += HEADER_SIZE + packet.payload.len();
                let command = (source == Source::Host).then(|| Command::from_packet(&packet)).flatten();
                let response = (source == Source::Dongle).then(|| Response::from_packet(&packet)).flatten();
                let event = (source == Source::Dongle).then(|| Event::from_packet(&packet)).flatten();
                let written = [
                    command.map(|command| command.to_packet()),
                    response.map(|response| response.to_packet()),
                    event.map(|event| event.to_packet()),
                ];
                assert_eq!(written.into_iter().flatten().collect::<Vec<_>>(), [packet]);
            }
        }
        assert!(packed + decoder.skipped() as usize <= bytes.len());
    }
    if let Some((handle, value)) = bytes.split_first() {
        let _ = Notification::of((*handle).into(), value);
        assert!(Control::from_bytes(value).is_none_or(|control| control.to_bytes() == value));
    }
});
