//! What hosts answer, written as ours does and read as either does.

use super::error::Error;
use std::fmt::{self, Display};

/// An answer.
#[derive(Clone, Copy, Debug)]
pub enum Reply<'a> {
    /// The text, after a READ.
    Content(&'a str),
    /// It is written, after a WRITE.
    Written,
    /// It failed, for this reason.
    Refused(&'a dyn std::error::Error),
}

/// Why a WRITE is refused before its content is looked at, in the original's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal<'a> {
    /// The number of bytes is none.
    #[error("invalid literal for int() with base 10: {}", PythonLiteral(.0))]
    BadLength(&'a str),
    /// The connection ended in the middle of the content.
    #[error("连接中断")]
    Interrupted,
    /// The content is not UTF-8.
    #[error("the content is not UTF-8 from byte {0} on; nothing was written")]
    NotUtf8(usize),
}

impl Reply<'_> {
    /// As it goes over the network.
    pub fn to_bytes(self) -> Vec<u8> {
        let line = match self {
            Self::Content(text) => format!("OK {text}\n"),
            Self::Written => "OK\n".to_owned(),
            Self::Refused(why) => format!("ERROR {why}\n"),
        };
        line.into_bytes()
    }
}

/// The text in a whole reply, whose end is its last line end; empty after a WRITE. What is not UTF-8 becomes
/// U+FFFD.
///
/// # Errors
/// [`Error::Refused`] with the host's reason; [`Error::Unexpected`] if it is no reply at all.
pub fn content_of(reply: &[u8]) -> Result<String, Error> {
    let reply = reply.strip_suffix(b"\n").unwrap_or(reply);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if let Some(content) = reply.strip_prefix(b"OK ") {
        return Ok(text(content));
    }
    // The last line end may be CRLF, but what precedes a text's is the text's own.
    match reply.trim_ascii_end() {
        b"OK" => Ok(String::new()),
        reply => match reply.strip_prefix(b"ERROR ") {
            Some(why) => Err(Error::Refused { reason: text(why) }),
            None => Err(Error::Unexpected { found: text(&reply[..reply.len().min(EXCERPT_BYTES)]) }),
        },
    }
}

/// Of what is no reply so much is shown.
const EXCERPT_BYTES: usize = 80;

/// A text as Python's `repr` has it, which the original's message contains.
struct PythonLiteral<'a>(&'a str);

impl Display for PythonLiteral<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains('\'') && !self.0.contains('"') { '"' } else { '\'' };
        write!(formatter, "{quote}")?;
        for character in self.0.chars() {
            match character {
                '\n' => formatter.write_str("\\n")?,
                '\r' => formatter.write_str("\\r")?,
                '\t' => formatter.write_str("\\t")?,
                '\\' => formatter.write_str("\\\\")?,
                _ if character == quote => write!(formatter, "\\{quote}")?,
                '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                    write!(formatter, "\\x{:02x}", u32::from(character))?;
                }
                _ => write!(formatter, "{character}")?,
            }
        }
        write!(formatter, "{quote}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_have_their_known_bytes() {
        assert_eq!(Reply::Content("").to_bytes(), b"OK \n");
        assert_eq!(Reply::Content("你好\n世界").to_bytes(), "OK 你好\n世界\n".as_bytes());
        assert_eq!(Reply::Written.to_bytes(), b"OK\n");
        let refused =
            |why: &dyn std::error::Error| String::from_utf8(Reply::Refused(why).to_bytes()).unwrap();
        let bad_length = "ERROR invalid literal for int() with base 10: 'abc'\n";
        assert_eq!(refused(&Refusal::BadLength("abc")), bad_length);
        assert_eq!(refused(&Refusal::Interrupted), "ERROR 连接中断\n");
        let name = memlane_interop::Name::new("x").unwrap();
        let timeout = memlane_interop::text_block::Error::LockTimeout { name };
        assert_eq!(refused(&timeout), "ERROR 获取锁超时（5.0秒）\n");
        let too_long = memlane_interop::text_block::Error::TooLong { found: 5000 };
        assert_eq!(refused(&too_long), "ERROR 文本太长: 5000 > 4091 bytes\n");
    }

    #[test]
    fn literals_are_python_s() {
        for (text, literal) in
            [("", "''"), ("it's", "\"it's\""), ("'\"", "'\\'\"'"), ("你\t\u{1}\\", "'你\\t\\x01\\\\'")]
        {
            assert_eq!(PythonLiteral(text).to_string(), literal);
        }
    }

    #[test]
    fn both_forms_of_an_empty_reply_are_understood() {
        let content = |reply: &str| content_of(reply.as_bytes()).unwrap();
        assert_eq!((content("OK\n"), content("OK \n"), content("OK\r\n")), Default::default());
        assert_eq!(content("OK a\nb\n\n"), "a\nb\n", "one line end is the reply's");
        assert_eq!(content_of(b"OK \xff\n").unwrap(), "\u{fffd}");
        let refused = content_of("ERROR 获取锁超时（5.0秒）\n".as_bytes()).unwrap_err();
        assert!(matches!(refused, Error::Refused { reason } if reason == "获取锁超时（5.0秒）"));
        for garbage in ["", "\n", "OKAY\n", "ok\n", "ERROR\n", "\0\0\0"] {
            assert!(matches!(content_of(garbage.as_bytes()), Err(Error::Unexpected { .. })), "{garbage:?}");
        }
    }
}
