//! Rust text with comments and literals blanked, so that a search for code finds only code. Offsets and lines
//! stay.

/// A space for each byte of a comment, string or character; line breaks stay.
pub(super) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = ' ';
    while let Some(next) = rest.chars().next() {
        let length = if let Some(length) = opaque(rest, previous) {
            masked.extend(rest[..length].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
            length
        } else {
            masked.push(next);
            next.len_utf8()
        };
        previous = next;
        rest = &rest[length..];
    }
    masked
}

/// Whether a character can be part of a name.
pub(super) fn in_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of the comment or literal that begins here.
fn opaque(rest: &str, previous: char) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    match rest.chars().next()? {
        '"' => Some(quoted(rest, '"')),
        '\'' => character(rest),
        'r' | 'b' | 'c' if !in_name(previous) => raw_string(rest),
        _ => None,
    }
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let tail = &rest.as_bytes()[at..];
        let step = if tail.starts_with(b"/*") {
            depth += 1;
            2
        } else if tail.starts_with(b"*/") {
            depth -= 1;
            2
        } else {
            1
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// From the opening quote to the closing one, over escapes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character, unless the quote begins a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut following = rest.char_indices().skip(1);
    let (_, first) = following.next()?;
    let (end, second) = following.next()?;
    if first == '\\' {
        return Some(quoted(rest, '\''));
    }
    (second == '\'').then_some(end + 1)
}

fn raw_string(rest: &str) -> Option<usize> {
    let opening =
        rest.strip_prefix("br").or_else(|| rest.strip_prefix("cr")).or_else(|| rest.strip_prefix('r'))?;
    let content = opening.trim_start_matches('#');
    let hashes = opening.len() - content.len();
    let content = content.strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let end = content.find(&closing).map_or(content.len(), |at| at + closing.len());
    Some(rest.len() - content.len() + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        let masked = mask(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.matches('\n').count(), text.matches('\n').count());
        masked.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_vanish() {
        assert_eq!(words("a // unsafe {\nb"), "a b");
        assert_eq!(words("a /* x /* nested */ { */ b"), "a b");
        assert_eq!(words("/// doc `{`\nfn"), "fn");
        assert_eq!(words("a /* never closed"), "a");
    }

    #[test]
    fn literals_vanish() {
        assert_eq!(words(r#"f("} \" {") g"#), "f( ) g");
        assert_eq!(words(r##"f(r#"one " two"#, br"\", 'r') g"##), "f( , , ) g");
        assert_eq!(words(r"f('{', '\'', '\u{7b}', '\\') g"), "f( , , , ) g");
        assert_eq!(words("f(\"größe { // \") g"), "f( ) g");
        assert_eq!(words("f(\"over\ntwo lines\") g"), "f( ) g");
    }

    #[test]
    fn lifetimes_and_names_that_look_like_prefixes_stay() {
        assert_eq!(words("fn a<'a, 'b>(x: &'a T) {}"), "fn a<'a, 'b>(x: &'a T) {}");
        assert_eq!(words("'outer: loop { break 'outer; }"), "'outer: loop { break 'outer; }");
        assert_eq!(words("for r in bar {}"), "for r in bar {}");
        assert_eq!(words("r#type + r"), "r#type + r");
    }
}
