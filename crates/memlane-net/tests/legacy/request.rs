//! The parser alone: every split, every spelling, and hostile bytes.

use memlane_net::legacy::request::{CONTENT_BYTES_KEPT, CONTENT_BYTES_MAX, LINE_BYTES_MAX, Parser, Request};
use proptest::prelude::*;

/// All requests in the pieces, and what the end of the stream adds.
fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Request> {
    let mut parser = Parser::default();
    let mut requests = Vec::new();
    for mut piece in pieces {
        while let Some(request) = parser.take(&mut piece) {
            requests.push(request);
        }
        assert!(piece.is_empty());
    }
    requests.extend(parser.finish());
    requests
}

fn write(text: &str) -> Request {
    Request::Write(text.into())
}

/// Streams, and what they ask for.
fn streams() -> Vec<(Vec<u8>, Vec<Request>)> {
    let bad = |text: &str| Request::BadLength(text.to_owned());
    let plain: Vec<(&str, Vec<Request>)> = vec![
        ("READ\n", vec![Request::Read]),
        ("READ\r\n", vec![Request::Read]),
        ("READ", vec![Request::Read]),
        ("READ\nREAD\r\nREAD", vec![Request::Read; 3]),
        ("WRITE 6\n你好\n", vec![write("你好")]),
        ("WRITE 6\r\n你好\r\nREAD\r\n", vec![write("你好"), Request::Read]),
        ("WRITE 0\n\nREAD\n", vec![write(""), Request::Read]),
        ("WRITE 5\nREAD\n\nREAD\n", vec![write("READ\n"), Request::Read]),
        ("WRITE 3\nabcWRITE 3\ndef\n", vec![write("abc"), write("def")]),
        ("WRITE 3\nab", vec![Request::Interrupted]),
        ("WRITE abc\nREAD\n", vec![bad("abc"), Request::Read]),
        (
            "WRITE\nWRITE \nWRITE -1\nWRITE +1\nWRITE 1 2\n",
            vec![bad(""), bad(""), bad("-1"), bad("+1"), bad("1 2")],
        ),
        ("WRITE 99999999999999999999999\n", vec![bad("99999999999999999999999")]),
        ("read\nDONE\nSYNC_UPDATE\nWRITER 3\nREADY\n\n\n", vec![Request::Unknown; 5]),
        ("REA", vec![]),
        ("WRITE 3", vec![]),
        ("WRITE 16777217\n", vec![Request::Flood(CONTENT_BYTES_MAX + 1)]),
    ];
    let mut streams: Vec<_> = plain.into_iter().map(|(text, requests)| (text.into(), requests)).collect();
    let overlong = ["WRITE ", &"1".repeat(LINE_BYTES_MAX), "\nREAD\n"].concat();
    streams.push((overlong.into(), vec![Request::Unknown, Request::Read]));
    streams
}

#[test]
fn every_split_is_understood_alike() {
    for (stream, requests) in streams() {
        let shown = String::from_utf8_lossy(&stream);
        assert_eq!(parse([&stream[..]]), requests, "{shown:?}");
        assert_eq!(parse(stream.chunks(1)), requests, "{shown:?} byte by byte");
        for at in 0..=stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(parse([head, tail]), requests, "{shown:?} split at {at}");
        }
    }
}

#[test]
fn coalesced_requests_are_all_understood() {
    let ended =
        |(stream, _): &(Vec<u8>, _)| stream.ends_with(b"\n") && !stream.starts_with(b"WRITE 16777217");
    let (mut coalesced, mut expected) = (Vec::new(), Vec::new());
    for (stream, requests) in streams().into_iter().filter(ended) {
        coalesced.extend(stream);
        expected.extend(requests);
    }
    for size in 1..coalesced.len() {
        assert_eq!(parse(coalesced.chunks(size)), expected, "in pieces of {size}");
    }
}

#[test]
fn a_read_without_a_line_end_is_one_after_a_quiet_moment_and_once() {
    let mut parser = Parser::default();
    assert_eq!(parser.take(&mut &b"RE"[..]), None);
    assert_eq!((parser.awaits_quiet(), parser.quiet()), (false, None));
    assert_eq!(parser.take(&mut &b"AD"[..]), None);
    assert!(parser.awaits_quiet() && !parser.is_between_requests());
    assert_eq!(parser.quiet(), Some(Request::Read));
    assert!(parser.is_between_requests());
    assert_eq!(parser.take(&mut &b"\r\n"[..]), None, "its late line end is not another request");
    assert_eq!(parser.take(&mut &b"WRITE 3"[..]), None);
    assert_eq!(parser.quiet(), None, "any other header has to end");
}

#[test]
fn a_content_that_is_too_long_is_passed_over() {
    let length = CONTENT_BYTES_KEPT + 1;
    let stream = [format!("WRITE {length}\n").as_bytes(), &vec![b'x'; length], b"\nREAD\n"].concat();
    for size in [1000, 4096, stream.len()] {
        assert_eq!(parse(stream.chunks(size)), [Request::TooLong(length as u64), Request::Read]);
    }
    assert_eq!(parse([&stream[..stream.len() / 2]]), [Request::Interrupted]);
}

/// A change of a stream that once was well-formed.
fn mutate(mut stream: Vec<u8>, edits: Vec<(u8, prop::sample::Index, u8)>) -> Vec<u8> {
    for (kind, index, byte) in edits {
        if stream.is_empty() {
            break;
        }
        let at = index.index(stream.len());
        match kind % 4 {
            0 => stream[at] = byte,
            1 => stream.insert(at, byte),
            2 => _ = stream.remove(at),
            _ => stream.truncate(at),
        }
    }
    stream
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    /// Whatever comes, in whatever pieces: no panic, and the pieces make no difference.
    #[test]
    fn mutated_streams_are_understood_alike_in_any_pieces(
        chosen in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 0..6),
        size in 1_usize..16,
    ) {
        let streams = streams();
        let stream = mutate(streams[chosen.index(streams.len())].0.clone(), edits);
        prop_assert_eq!(parse(stream.chunks(size)), parse([&stream[..]]));
    }
}
