//! Sizes, times and texts for people, written short.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use memlane::Timestamp;

const BYTE_UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SECONDS_PER_MINUTE: u64 = 60;
const SECONDS_PER_HOUR: u64 = 60 * SECONDS_PER_MINUTE;
const SECONDS_PER_DAY: u64 = 24 * SECONDS_PER_HOUR;
const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;
/// Of a file's mode; the rest says what kind of file it is.
const PERMISSIONS: u32 = 0o7777;

/// `512 B`, `1.2 MiB`.
pub fn bytes(count: u64) -> String {
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
pub fn duration(duration: Duration) -> String {
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
pub fn age(wall: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from_nanos(wall))
}

/// How long ago a moment of the monotonic clock was, in nanoseconds.
pub fn monotonic_age(monotonic: u64) -> Duration {
    Timestamp { monotonic, wall: 0 }.age()
}

/// A moment of the wall clock, in nanoseconds since the Unix epoch, as RFC 3339: `2026-11-21T05:32:01.250Z`.
pub fn rfc3339(wall: u64) -> String {
    let (seconds, nanoseconds) = (wall / NANOSECONDS_PER_SECOND, wall % NANOSECONDS_PER_SECOND);
    let (year, month, day) = civil(seconds / SECONDS_PER_DAY);
    let time = seconds % SECONDS_PER_DAY;
    let (hour, minute) = (time / SECONDS_PER_HOUR, time % SECONDS_PER_HOUR / SECONDS_PER_MINUTE);
    let (second, millisecond) = (time % SECONDS_PER_MINUTE, nanoseconds / 1_000_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

/// The moment that [`rfc3339`] wrote.
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let seconds = days(year, month, day)? * SECONDS_PER_DAY
        + hour * SECONDS_PER_HOUR
        + minute * SECONDS_PER_MINUTE
        + second;
    Some((seconds * 1000 + number(20..23)?) * 1_000_000)
}

/// So many days since 1970 (Howard Hinnant's `days_from_civil`, for days after 1970 only).
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let shifted_month = if month > 2 { month - 3 } else { month.checked_add(9)? };
    let day_of_year = (153 * shifted_month + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
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

/// A file's permissions in octal digits: `0600`.
pub fn mode(mode: u32) -> String {
    format!("{:04o}", mode & PERMISSIONS)
}

/// `1 region`, `3 regions`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The text, or as much of it as fits, with an ellipsis.
pub fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if width_of(text) <= width {
        return Cow::Borrowed(text);
    }
    let mut left = width.saturating_sub(1);
    let fits = |character: &char| {
        let fits = columns_of(*character) <= left;
        left = left.saturating_sub(columns_of(*character));
        fits
    };
    let kept: String = text.chars().take_while(fits).collect();
    Cow::Owned(if width == 0 { String::new() } else { kept + "…" })
}

/// Columns of a terminal that the text takes.
pub fn width_of(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Columns that a terminal gives a character: two in the scripts of East Asia and to pictures, none to
/// combining marks.
fn columns_of(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
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
    fn moments_that_were_written_can_be_read() {
        for wall in [0, 951_782_400_000_000_000, 1_582_934_400_250_000_000, 1_764_160_000_999_000_000] {
            assert_eq!(parse_rfc3339(&rfc3339(wall)), Some(wall), "{}", rfc3339(wall));
        }
        for hostile in ["", "soon", "0000-00-00T00:00:00.000Z", "1969-12-31T00:00:00.000Z", "2026-11-é"] {
            assert_eq!(parse_rfc3339(hostile), None, "{hostile}");
        }
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(cut("記憶レーン", 6), "記憶…");
        assert_eq!(cut("記憶", 4), "記憶");
        assert_eq!(cut("anything", 0), "");
    }
}
