//! Patterns of ids: `*` stands for any characters, `/` included; all else for itself.

/// Whether `id` is what `pattern` describes.
pub fn matches(pattern: &str, id: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == id };
    let Some(mut left) = id.strip_prefix(first) else { return false };
    let mut pieces: Vec<_> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        // The earliest place leaves most for the pieces after it.
        let Some((_, after)) = left.split_once(piece) else { return false };
        left = after;
    }
    left.ends_with(last)
}

/// Whether `text` is a pattern rather than an id.
pub fn is_pattern(text: &str) -> bool {
    text.contains('*')
}

/// Whether `id` is `pattern`, is described by it, or lies in the folder of that name.
pub fn selects(pattern: &str, id: &str) -> bool {
    let folder = pattern.trim_end_matches('/');
    matches(pattern, id) || id.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether one of the patterns selects `id`; without patterns all ids are wanted.
pub fn is_wanted(patterns: &[String], id: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| selects(pattern, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for pattern in ["camera/front", "*", "camera*", "*front", "c*a/*nt", "**", "camera/front*", "*/*"] {
            assert!(matches(pattern, "camera/front"), "{pattern}");
        }
        for pattern in ["", "camera", "front*", "*camera", "c*x*t", "camera/front*t", "*frontt"] {
            assert!(!matches(pattern, "camera/front"), "{pattern}");
        }
        assert!(matches("a*a", "aa") && !matches("a*a", "a"));
        assert!(matches("*ab", "aab"));
    }

    #[test]
    fn a_folder_selects_what_is_in_it() {
        assert!(selects("camera", "camera/front") && selects("camera/", "camera/front"));
        assert!(!selects("cam", "camera/front") && !selects("camera/front/x", "camera/front"));
        assert!(is_wanted(&[], "a") && is_wanted(&["b".into(), "a*".into()], "a"));
        assert!(!is_wanted(&["b".into()], "a"));
    }
}
