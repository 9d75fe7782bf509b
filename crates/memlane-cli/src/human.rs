//! Sizes, times and texts for people: written short, and read as people write them.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use memlane::Timestamp;

const BYTE_UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SECONDS_PER_MINUTE: u64 = 60;
const SECONDS_PER_HOUR: u64 = 60 * SECONDS_PER_MINUTE;
const SECONDS_PER_DAY: u64 = 24 * SECONDS_PER_HOUR;
const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// `512 B`, `1.2 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    let mut scaled = count as f64;
    let mut unit = 0;
    // What would be shown as 1024.0 is 1.0 of the next unit.
    while scaled >= 1023.95 && unit + 1 < BYTE_UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0);
    format!("{scaled:.digits$} {}", BYTE_UNITS[unit])
}

/// `340 ns`, `1.2 ms`, `3.4 s`, `2 min 5 s`, `3 h 12 min`, `2 d 4 h`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => short_duration(duration),
        1..SECONDS_PER_MINUTE => format!("{:.1} s", duration.as_secs_f64()),
        SECONDS_PER_MINUTE..SECONDS_PER_HOUR => {
            format!("{} min {} s", seconds / SECONDS_PER_MINUTE, seconds % SECONDS_PER_MINUTE)
        }
        SECONDS_PER_HOUR..SECONDS_PER_DAY => {
            format!(
                "{} h {} min",
                seconds / SECONDS_PER_HOUR,
                seconds % SECONDS_PER_HOUR / SECONDS_PER_MINUTE
            )
        }
        _ => format!("{} d {} h", seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY / SECONDS_PER_HOUR),
    }
}

fn short_duration(duration: Duration) -> String {
    match duration.as_nanos() {
        nanoseconds @ 0..1_000 => format!("{nanoseconds} ns"),
        nanoseconds @ 1_000..1_000_000 => format!("{:.1} µs", nanoseconds as f64 / 1e3),
        nanoseconds => format!("{:.1} ms", nanoseconds as f64 / 1e6),
    }
}

/// How long ago a moment of the wall clock was, in nanoseconds since the Unix epoch.
pub(crate) fn age(wall: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from_nanos(wall))
}

/// How long ago a moment of the monotonic clock was, in nanoseconds.
pub(crate) fn monotonic_age(monotonic: u64) -> Duration {
    Timestamp { monotonic, wall: 0 }.age()
}

/// A moment of the wall clock, in nanoseconds since the Unix epoch, as RFC 3339: `2026-11-21T05:32:01.250Z`.
pub(crate) fn rfc3339(wall: u64) -> String {
    let (seconds, nanoseconds) = (wall / NANOSECONDS_PER_SECOND, wall % NANOSECONDS_PER_SECOND);
    let (year, month, day) = civil(seconds / SECONDS_PER_DAY);
    let time = seconds % SECONDS_PER_DAY;
    let (hour, minute) = (time / SECONDS_PER_HOUR, time % SECONDS_PER_HOUR / SECONDS_PER_MINUTE);
    let (second, millisecond) = (time % SECONDS_PER_MINUTE, nanoseconds / 1_000_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

/// Year, month and day of so many days since 1970 (Howard Hinnant's `civil_from_days`, for days after 1970
/// only).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// `1 region`, `3 regions`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

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
        "min" => SECONDS_PER_MINUTE as f64,
        "h" => SECONDS_PER_HOUR as f64,
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
    fn sizes_are_short() {
        let shown = [0, 1023, 1024, 1_048_575, 1_258_291, u64::MAX].map(bytes);
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.2 MiB", "16384.0 PiB"]);
    }

    #[test]
    fn durations_have_two_parts_at_most() {
        let shown = |seconds: f64| duration(Duration::from_secs_f64(seconds));
        assert_eq!(shown(34e-8), "340 ns");
        assert_eq!(shown(0.0012), "1.2 ms");
        assert_eq!(shown(3.44), "3.4 s");
        assert_eq!(shown(125.0), "2 min 5 s");
        assert_eq!(shown(11_520.0), "3 h 12 min");
        assert_eq!(shown(187_200.0), "2 d 4 h");
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        let shown = |seconds: u64| rfc3339(seconds * NANOSECONDS_PER_SECOND + 250_000_000);
        assert_eq!(shown(0), "1970-01-01T00:00:00.250Z");
        assert_eq!(shown(951_782_399), "2000-02-28T23:59:59.250Z");
        assert_eq!(shown(951_782_400), "2000-02-29T00:00:00.250Z");
        assert_eq!(shown(1_798_761_599), "2026-12-31T23:59:59.250Z");
    }

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
