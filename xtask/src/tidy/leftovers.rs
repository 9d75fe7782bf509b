//! Nothing unfinished and nothing of one developer's machine stays in the tree. The words are joined from
//! halves, so that this file does not offend.

use super::Finding;
use super::repository::Repository;
use super::rust_file::find_whole;

/// Wherever text can stand.
const MARKERS: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("HA", "CK")];

/// In Rust code.
const UNFINISHED: &[&str] = &["dbg!", "todo!", "unimplemented!", "#[ignore"];

/// Of one machine: absolute paths and package mirrors.
const PLACES: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("artif", "actory")];

pub(super) fn leftovers(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in repository.texts() {
        for (line, content) in (1..).zip(text.lines()) {
            let marker = MARKERS.iter().find(|marker| find_whole(content, marker).next().is_some());
            let place = PLACES.iter().find(|place| names_place(content, place));
            let finding =
                |what: &str, remedy| Finding { path: path.to_owned(), line, what: what.to_owned(), remedy };
            findings.extend(
                marker.map(|marker| finding(marker, "finish it or write it down where work is planned")),
            );
            findings.extend(place.map(|place| finding(place, "name nothing of one machine")));
        }
    }
    for file in &repository.rust {
        for unfinished in UNFINISHED {
            let places = file.find_code(unfinished);
            findings.extend(places.map(|at| file.finding(at, *unfinished, "finish it or delete it")));
        }
    }
    findings
}

/// `target/x/…` may well end in the name of such a directory.
fn names_place(line: &str, place: &str) -> bool {
    let relative =
        |before: &str| before.ends_with(|last: char| last.is_alphanumeric() || "._-~}".contains(last));
    let line = line.to_lowercase();
    line.match_indices(place).any(|(at, _)| !place.starts_with('/') || !relative(&line[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        leftovers(&Repository::of(&[(path, text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn markers_are_found_in_any_text() {
        let text = format!("fine\n// {}: later\n{}S and mk{}X\n", MARKERS[0], MARKERS[0], MARKERS[2]);
        assert_eq!(lines("notes.md", &text), [2]);
    }

    #[test]
    fn unfinished_code_is_found_in_code_only() {
        let text = "// dbg!(x)\ndbg!(x);\nlet s = \"todo!\";\ntodo!();\n#[ignore = \"slow\"]\n";
        assert_eq!(lines("a.rs", text), [2, 4, 5]);
        assert_eq!(lines("a.md", text), [0; 0]);
    }

    #[test]
    fn places_of_one_machine_are_found() {
        let text = format!(
            "cd {0}main\ntarget{0}x\nhttps://{1}.example\n",
            PLACES[0],
            "Artif".to_owned() + "actory"
        );
        assert_eq!(lines("a.sh", &text), [1, 3]);
    }
}
