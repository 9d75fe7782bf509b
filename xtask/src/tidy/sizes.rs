//! Functions fit on a screen, lines fit beside each other.

use super::Finding;
use super::excuse::{Excuse, unexcused};
use super::repository::Repository;
use super::rust_file::{RustFile, item_end};

/// Lines of a function, from `fn` to its closing brace.
const FUNCTION_LINES: usize = 70;

/// Characters of a line; rustfmt leaves comments and strings alone.
const LINE_CHARACTERS: usize = 120;

/// A text of so many characters is a sentence for a person: breaking it would only hide it from a search.
const SENTENCE_CHARACTERS: usize = 50;

/// The line of an excuse is the one with the function's name.
const EXCUSES: &[Excuse] = &[];

pub(super) fn functions(repository: &Repository) -> Vec<Finding> {
    unexcused(EXCUSES, repository, repository.sources().flat_map(long_functions).collect())
}

pub(super) fn lines(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &repository.rust {
        let too_long =
            (1..).zip(file.text.lines()).filter(|(_, line)| is_long(line) && !is_unbreakable(line));
        findings.extend(too_long.map(|(line, _)| Finding {
            path: file.path.clone(),
            line,
            what: format!("a line of more than {LINE_CHARACTERS} characters"),
            remedy: "break it",
        }));
    }
    findings
}

fn is_long(line: &str) -> bool {
    line.chars().count() > LINE_CHARACTERS
}

/// A row of a table in a comment, or a line with a sentence in quotes.
fn is_unbreakable(line: &str) -> bool {
    let is_row = ["//! |", "/// |"].iter().any(|row| line.trim_start().starts_with(row));
    is_row || line.split('"').skip(1).step_by(2).any(|text| text.chars().count() > SENTENCE_CHARACTERS)
}

fn long_functions(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for start in file.find_code("fn").filter(|at| has_name(&file.code[at + "fn".len()..])) {
        let length = file.line(item_end(&file.code, start) - 1) - file.line(start) + 1;
        if length > FUNCTION_LINES {
            let what = format!("a function of {length} lines, {FUNCTION_LINES} are the limit");
            findings.push(file.finding(start, what, "split it where its steps have names"));
        }
    }
    findings
}

/// `fn name` is a function, `fn(` the type of a pointer.
fn has_name(rest: &str) -> bool {
    rest.starts_with(char::is_whitespace) && !rest.trim_start().starts_with('(')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(text: &str) -> Vec<usize> {
        long_functions(&RustFile::new("a.rs", text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_function_is_as_long_as_its_body() {
        let body = |lines: usize| "    x();\n".repeat(lines);
        let longest = format!("fn a(b: [u8; 2]) {{\n{}}}\n", body(FUNCTION_LINES - 2));
        let too_long = format!("fn a(b: [u8; 2]) {{\n{}}}\n", body(FUNCTION_LINES - 1));
        assert_eq!(long(&longest), [0; 0]);
        assert_eq!(long(&too_long), [1]);
        assert_eq!(long(&format!("trait T {{ fn a();\n{} }}", body(100))), [0; 0]);
        assert_eq!(long(&format!("struct S(fn(u8) -> u8);\n{too_long}")), [2]);
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_count() {
        let text = format!("fn a() {{ f('{{', \"{{\"); /* {{ */ }}\n{}", "const X: u8 = 1;\n".repeat(100));
        assert_eq!(long(&text), [0; 0]);
    }

    #[test]
    fn long_lines_are_found() {
        let long = "x".repeat(LINE_CHARACTERS);
        let text = format!("{}\n// {long}\n//! | {long} |\nf(\"{long}\");\n", "ä".repeat(LINE_CHARACTERS));
        let findings = lines(&Repository::of(&[("a.rs", &text)]));
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [2]);
    }
}
