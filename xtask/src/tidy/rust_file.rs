//! One Rust file as the rules see it: text, code without literals, which lines are tests, where items end.

use std::ops::Range;

use super::Finding;
use super::mask::{in_name, mask};

pub(super) struct RustFile {
    /// Relative to the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// The text with comments and literals blanked; offsets are the same.
    pub(super) code: String,
    line_starts: Vec<usize>,
    /// Where items that exist only in tests stand.
    tests: Vec<Range<usize>>,
}

impl RustFile {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let code = mask(text);
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        let tests = test_items(&code);
        Self { path: path.to_owned(), text: text.to_owned(), code, line_starts, tests }
    }

    /// The line, from 1, of an offset.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// A line as written, comments included.
    pub(super) fn line_text(&self, line: usize) -> &str {
        self.text.lines().nth(line - 1).unwrap_or_default()
    }

    pub(super) fn is_test(&self, offset: usize) -> bool {
        self.tests.iter().any(|item| item.contains(&offset))
    }

    /// Marks the whole file as test code: the `mod` line that names it is under `#[cfg(test)]`.
    pub(super) fn make_test(&mut self) {
        self.tests = vec![Range { start: 0, end: usize::MAX }];
    }

    /// Where `pattern` stands in the code, not as part of a longer name.
    pub(super) fn find_code<'file>(&'file self, pattern: &'file str) -> impl Iterator<Item = usize> + 'file {
        find_whole(&self.code, pattern)
    }

    pub(super) fn finding(&self, offset: usize, what: impl Into<String>, remedy: &'static str) -> Finding {
        Finding { path: self.path.clone(), line: self.line(offset), what: what.into(), remedy }
    }
}

/// Where `pattern` stands in `text`, not as part of a longer name.
pub(super) fn find_whole<'text>(
    text: &'text str,
    pattern: &'text str,
) -> impl Iterator<Item = usize> + 'text {
    let begins_as_name = pattern.starts_with(in_name);
    let ends_as_name = pattern.ends_with(in_name);
    text.match_indices(pattern).map(|(at, _)| at).filter(move |at| {
        let cut_off = begins_as_name && text[..*at].ends_with(in_name);
        let goes_on = ends_as_name && text[at + pattern.len()..].starts_with(in_name);
        !cut_off && !goes_on
    })
}

/// The end of the item that begins at `start`: behind its closing brace, its semicolon if it has no body, or
/// where what surrounds it ends.
pub(super) fn item_end(code: &str, start: usize) -> usize {
    let mut brackets = 0_i32;
    let mut braces = 0_i32;
    for (at, character) in code[start..].char_indices() {
        match character {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            '{' => braces += 1,
            '}' => braces -= 1,
            ';' => {}
            _ => continue,
        }
        let closed = matches!(character, '}' | ';') && braces == 0 && brackets == 0;
        if closed || braces < 0 || brackets < 0 {
            return start + at + 1;
        }
    }
    code.len()
}

/// Items under `#[test]` or `#[cfg(test)]`, attribute included.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let markers = ["#[test]", "#[cfg(test)]", "#[cfg(all(test"];
    let starts = markers.iter().flat_map(|marker| code.match_indices(marker));
    starts.map(|(start, _)| start..item_end(code, start)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let file = RustFile::new("a.rs", "one\ntwo\n\nfour");
        assert_eq!([0, 3, 4, 8, 9, 12].map(|offset| file.line(offset)), [1, 1, 2, 3, 4, 4]);
        assert_eq!(file.line_text(4), "four");
    }

    #[test]
    fn test_items_end_with_their_body() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { [1; 2]; } }\nfn c() {}\n\
                    #[cfg(test)]\nuse d;\nfn e() {}\n\
                    struct S {\n#[cfg(test)]\nf: u8 }\nfn g() {}";
        let file = RustFile::new("a.rs", text);
        let is_test = |name: &str| file.is_test(text.find(name).unwrap());
        assert!(is_test("fn b") && is_test("use d") && is_test("f: u8"));
        assert!(!["fn a", "fn c", "fn e", "fn g"].into_iter().any(is_test));
    }

    #[test]
    fn whole_names_only() {
        let found = |pattern| find_whole("panic! no_panic! std::fs std::fsx", pattern).collect::<Vec<_>>();
        assert_eq!(found("panic!"), [0]);
        assert_eq!(found("std::fs"), [17]);
    }
}
