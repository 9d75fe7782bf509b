//! The counts that are kept: a file in which each operation is a line, with the reason why it once rose.
//!
//! ```toml
//! toolchain = "rustc 1.95.0 (…), x86_64, glibc 2.36"
//!
//! [instructions]
//! "lock: lock, unlock" = 41.0
//! "queue: put and get 8 B" = 280.2 # the message's tag is looked at
//! ```

use std::fmt;
use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};

const HEAD: &str = "\
# Machine instructions of each operation, uncontended, by one process: `cargo xtask ratchet` compares with them, and
# `--update` writes them.
";

/// Everything the file holds.
pub(super) struct Counts {
    /// What they were counted with; with anything else they are not comparable.
    pub(super) toolchain: String,
    pub(super) kept: Vec<Kept>,
}

pub(super) struct Kept {
    pub(super) name: String,
    pub(super) count: f64,
    /// Why it rose, when it did.
    pub(super) because: String,
}

impl Counts {
    pub(super) fn read(path: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(path).map_err(Failure::at(path))?;
        Self::parse(&text).map_err(|line| {
            Failure::new(format!("{}: expected \"name\" = count, found `{line}`", path.display()))
        })
    }

    /// The error is the line that is none.
    fn parse(text: &str) -> Result<Self, String> {
        let mut counts = Self { toolchain: String::new(), kept: Vec::new() };
        let is_content = |line: &&str| !(line.is_empty() || line.starts_with(['#', '[']));
        for line in text.lines().filter(is_content) {
            if let Some(toolchain) = line.strip_prefix("toolchain = ") {
                toolchain.trim_matches('"').clone_into(&mut counts.toolchain);
                continue;
            }
            counts.kept.push(Kept::parse(line).ok_or(line)?);
        }
        Ok(counts)
    }

    pub(super) fn of(&self, name: &str) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.name == name)
    }

    /// Remembers a count, in place of the old one and its reason.
    pub(super) fn keep(&mut self, name: &str, count: f64, because: Option<&str>) {
        let kept = Kept { name: name.to_owned(), count, because: because.unwrap_or_default().to_owned() };
        match self.kept.iter_mut().find(|kept| kept.name == name) {
            Some(old) => *old = kept,
            None => self.kept.push(kept),
        }
    }
}

impl Kept {
    fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.strip_prefix('"')?.split_once("\" = ")?;
        let (count, because) = rest.split_once(" # ").unwrap_or((rest, ""));
        Some(Self { name: name.to_owned(), count: count.parse().ok()?, because: because.to_owned() })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{HEAD}toolchain = \"{}\"\n\n[instructions]\n", self.toolchain)?;
        for Kept { name, count, because } in &self.kept {
            let reason = if because.is_empty() { String::new() } else { format!(" # {because}") };
            writeln!(formatter, "\"{name}\" = {count:.1}{reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut counts = Counts { toolchain: "rustc 1, glibc 2".to_owned(), kept: Vec::new() };
        counts.keep("lock: lock, unlock", 41.0, None);
        counts.keep("queue", 270.0, None);
        counts.keep("queue", 280.25, Some("its tag is looked at"));
        let text = counts.to_string();
        let read = Counts::parse(&text).unwrap();
        assert_eq!((read.toolchain.as_str(), read.kept.len()), ("rustc 1, glibc 2", 2));
        assert_eq!((read.of("queue").unwrap().count, read.to_string()), (280.2, text));
        assert_eq!(Counts::parse("\"lock\" = many").err().as_deref(), Some("\"lock\" = many"));
    }
}
