//! Every dependency of the workspace says why it is there. Its own packages do not: ARCHITECTURE.md does.

use super::Finding;
use super::repository::Repository;

const MANIFEST: &str = "Cargo.toml";
const SECTION: &str = "[workspace.dependencies]";

pub(super) fn reasons(repository: &Repository) -> Vec<Finding> {
    let text = repository.text(MANIFEST).unwrap_or_default();
    let lines: Vec<_> = (1..).zip(text.lines().map(str::trim)).collect();
    let section = lines.split(|(_, line)| *line == SECTION).nth(1).unwrap_or_default();
    let mut findings = Vec::new();
    let mut before = "";
    for (number, line) in section.iter().take_while(|(_, line)| !line.starts_with('[')) {
        let name = line.split(['=', ' ']).next().unwrap_or_default();
        let begins_dependency = line.contains('=') && !name.is_empty() && !line.starts_with('#');
        let of_this_workspace = line.contains("path =");
        if begins_dependency && !of_this_workspace && !before.starts_with('#') {
            let what = format!("{name} without a reason");
            findings.push(Finding {
                path: MANIFEST.into(),
                line: *number,
                what,
                remedy: "say why in a comment above",
            });
        }
        before = line;
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dependency_has_its_own_reason() {
        let text = "[workspace]\nresolver = \"3\"\n[workspace.dependencies]\nown = { path = \"own\" }\n# Why.\n\
                    good = \"1\"\nbad = \"1\"\n\n# Why.\nlong = { version = \"1\" }\n[workspace.lints]\nx = \"warn\"\n";
        let findings = reasons(&Repository::of(&[(MANIFEST, text)]));
        let places: Vec<_> = findings.iter().map(|finding| (finding.line, finding.what.as_str())).collect();
        assert_eq!(places, [(7, "bad without a reason")]);
    }
}
