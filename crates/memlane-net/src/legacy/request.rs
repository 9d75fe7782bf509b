//! What clients send: bytes in, requests out, whatever the network made of them.
//!
//! The parser has no socket and no clock. It keeps at most [`CONTENT_BYTES_KEPT`] bytes, whoever sends what.

use std::mem;

/// The longest line that can be a request; of a longer one nothing is kept.
pub const LINE_BYTES_MAX: usize = 256;
/// Bytes of a content that are kept: white space at its end may be left out later, so more than fit.
pub const CONTENT_BYTES_KEPT: usize = 64 * 1024;
/// A content that is too long is passed over up to here, so that the next request is understood.
pub const CONTENT_BYTES_MAX: u64 = 16 * 1024 * 1024;

const READ: &[u8] = b"READ";
const WRITE: &[u8] = b"WRITE";

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The text.
    Read,
    /// To replace it by these bytes, which should be UTF-8.
    Write(Vec<u8>),
    /// To replace it by so many bytes, more than are kept: they were passed over.
    TooLong(u64),
    /// The same, but more than are passed over: what follows cannot be understood.
    Flood(u64),
    /// To replace it by a number of bytes that is none.
    BadLength(String),
    /// The client left in the middle of a content.
    Interrupted,
    /// Something else, which has no answer.
    Unknown,
}

/// Takes a stream of bytes apart.
///
/// ```
/// use memlane_net::legacy::request::{Parser, Request};
/// let mut parser = Parser::default();
/// let mut input = &b"WRITE 6\n\xe4\xbd\xa0\xe5\xa5"[..];
/// assert_eq!(parser.take(&mut input), None, "a byte is missing");
/// let mut input = &b"\xbd\nREAD"[..];
/// assert_eq!(parser.take(&mut input), Some(Request::Write("你好".into())));
/// assert_eq!(parser.take(&mut input), None, "there may be more to come");
/// assert_eq!(parser.quiet(), Some(Request::Read), "but there was not");
/// ```
#[derive(Debug, Default)]
pub struct Parser {
    state: State,
    /// The line or the content, as far as it has come.
    kept: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Line,
    /// The rest of a line that is too long.
    Overlong,
    Content {
        missing: usize,
    },
    /// The rest of a content that is too long.
    Passing {
        missing: u64,
        length: u64,
    },
}

impl Parser {
    /// Takes the bytes of one request from the front of `input`; `None` when it is empty and the request is not
    /// whole yet.
    pub fn take(&mut self, input: &mut &[u8]) -> Option<Request> {
        while !input.is_empty() {
            let request = match self.state {
                State::Line => self.take_line(input),
                State::Overlong => self.take_overlong(input),
                State::Content { missing } => self.take_content(input, missing),
                State::Passing { missing, length } => self.pass_over(input, missing, length),
            };
            if request.is_some() {
                return request;
            }
        }
        None
    }

    /// Whether nothing of the next request has come.
    pub fn is_between_requests(&self) -> bool {
        self.state == State::Line && self.kept.is_empty()
    }

    /// Whether what has come is a request if nothing follows for a moment: a READ without its line end.
    pub fn awaits_quiet(&self) -> bool {
        self.state == State::Line && self.kept.trim_ascii() == READ
    }

    /// Nothing has followed for a moment.
    pub fn quiet(&mut self) -> Option<Request> {
        self.awaits_quiet().then(|| {
            self.kept.clear();
            Request::Read
        })
    }

    /// Nothing will follow any more.
    pub fn finish(mut self) -> Option<Request> {
        match self.state {
            State::Content { .. } | State::Passing { .. } => Some(Request::Interrupted),
            State::Line | State::Overlong => self.quiet(),
        }
    }

    fn take_line(&mut self, input: &mut &[u8]) -> Option<Request> {
        let (line, is_whole) = split_line(input);
        if self.kept.len() + line.len() > LINE_BYTES_MAX {
            self.kept.clear();
            self.state = State::Overlong;
            return is_whole.then(|| self.end_overlong());
        }
        self.kept.extend_from_slice(line);
        if !is_whole {
            return None;
        }
        let line = mem::take(&mut self.kept);
        self.understand(line.trim_ascii())
    }

    fn understand(&mut self, line: &[u8]) -> Option<Request> {
        if line.is_empty() {
            return None; // the line end behind a content, or behind a READ that was answered already
        }
        if line == READ {
            return Some(Request::Read);
        }
        match line.strip_prefix(WRITE) {
            Some(length) if length.first().is_none_or(u8::is_ascii_whitespace) => {
                self.begin_content(length.trim_ascii())
            }
            _ => Some(Request::Unknown),
        }
    }

    fn begin_content(&mut self, length: &[u8]) -> Option<Request> {
        let text = String::from_utf8_lossy(length);
        // `parse` alone would take a sign.
        let Some(length) = text.parse().ok().filter(|_| length.iter().all(u8::is_ascii_digit)) else {
            return Some(Request::BadLength(text.into_owned()));
        };
        self.state = match length {
            0 => return Some(Request::Write(Vec::new())),
            _ if length <= CONTENT_BYTES_KEPT as u64 => State::Content { missing: length as usize },
            _ if length <= CONTENT_BYTES_MAX => State::Passing { missing: length, length },
            _ => return Some(Request::Flood(length)),
        };
        None
    }

    fn take_content(&mut self, input: &mut &[u8], missing: usize) -> Option<Request> {
        let (content, rest) = input.split_at(missing.min(input.len()));
        *input = rest;
        self.kept.extend_from_slice(content);
        if content.len() < missing {
            self.state = State::Content { missing: missing - content.len() };
            return None;
        }
        self.state = State::Line;
        Some(Request::Write(mem::take(&mut self.kept)))
    }

    fn pass_over(&mut self, input: &mut &[u8], missing: u64, length: u64) -> Option<Request> {
        let passed = missing.min(input.len() as u64);
        *input = &input[passed as usize..];
        if passed < missing {
            self.state = State::Passing { missing: missing - passed, length };
            return None;
        }
        self.state = State::Line;
        Some(Request::TooLong(length))
    }

    fn take_overlong(&mut self, input: &mut &[u8]) -> Option<Request> {
        split_line(input).1.then(|| self.end_overlong())
    }

    fn end_overlong(&mut self) -> Request {
        self.state = State::Line;
        Request::Unknown
    }
}

/// Takes a line from the front, or what there is of it; says whether it has ended.
fn split_line<'a>(input: &mut &'a [u8]) -> (&'a [u8], bool) {
    let end = input.iter().position(|byte| *byte == b'\n');
    let (line, rest) = input.split_at(end.unwrap_or(input.len()));
    *input = &rest[usize::from(end.is_some())..];
    (line, end.is_some())
}
