//! Sizes, times and texts of people: read as they write them, and shown so that no terminal obeys them. How they are
//! written is the view's.

use std::borrow::Cow;
use std::time::Duration;

pub(crate) use memlane_net::view::human::{
    age, bytes, count, cut, duration, parse_rfc3339, rfc3339, width_of,
};

const SECONDS_PER_MINUTE: f64 = 60.0;

/// The text without anything that a terminal would obey: names and notes are other people's bytes.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let obeyed = |character: char| character.is_control() && character != '\n';
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let escape = |character: char| {
        if obeyed(character) { character.escape_default().to_string() } else { character.to_string() }
    };
    Cow::Owned(text.chars().map(escape).collect())
}

/// A number of bytes: `4096`, `64K`, `1.5 MiB`; K, M and G are powers of 1024.
pub(crate) fn parse_bytes(text: &str) -> Result<usize, String> {
    let (number, unit) = number_and_unit(text)?;
    let exponent = match unit.trim_end_matches("iB").trim_end_matches('B') {
        "" => 0,
        "K" | "k" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return Err(format!("expected a size such as 4096, 64K or 1.5MiB, found the unit `{unit}`")),
    };
    let size = number * 1024_f64.powi(exponent);
    if (0.0..=(1_u64 << 53) as f64).contains(&size) && size.fract() == 0.0 {
        return Ok(size as usize);
    }
    Err(format!("expected a whole number of bytes, found {size}"))
}

/// A time: `2` and `2s` are seconds, `50ms`, `250us`, `1min`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" => 1e-6,
        "min" => SECONDS_PER_MINUTE,
        "h" => 60.0 * SECONDS_PER_MINUTE,
        _ => return Err(format!("expected a time such as 0.5, 2s or 50ms, found the unit `{unit}`")),
    };
    let too_long = |_| format!("expected a time from 0 to some years, found `{text}`");
    Duration::try_from_secs_f64(number * factor).map_err(too_long)
}

fn number_and_unit(text: &str) -> Result<(f64, &str), String> {
    let text = text.trim();
    let end =
        text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number = number.parse().map_err(|_| format!("expected a number, found `{text}`"))?;
    Ok((number, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        assert_eq!(parse_bytes("4096"), Ok(4096));
        assert_eq!(parse_bytes("64K"), Ok(65536));
        assert_eq!(parse_bytes("1.5 MiB"), Ok(1_572_864));
        assert!(
            parse_bytes("0.3").is_err() && parse_bytes("-1").is_err() && parse_bytes("1 furlong").is_err()
        );
        assert_eq!(parse_duration("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(parse_duration("0.5"), Ok(Duration::from_millis(500)));
        assert!(parse_duration("soon").is_err() && parse_duration("1e9").is_err());
    }

    #[test]
    fn a_terminal_obeys_nothing_that_others_named() {
        assert_eq!(printable("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(printable("plain, Größe"), "plain, Größe");
    }
}
