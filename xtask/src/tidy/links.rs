//! Links between the Markdown files of the repository lead somewhere: to a file that is there, to a heading
//! it has.

use std::path::Path;

use super::Finding;
use super::repository::Repository;

pub(super) fn links(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pages = repository.texts().filter(|(path, _)| is_markdown(path));
    for (path, text) in pages {
        for (line, target) in targets(text) {
            if let Some(what) = complaint(repository, path, &target) {
                findings.push(Finding { path: path.to_owned(), line, what, remedy: "mend the link" });
            }
        }
    }
    findings
}

fn is_markdown(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "md")
}

fn complaint(repository: &Repository, page: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { Some(page.to_owned()) } else { resolve(page, file) };
    let Some(path) = path.filter(|path| repository.contains(path)) else {
        return Some(format!("no such file: {target}"));
    };
    let page_text = repository.text(&path).filter(|_| is_markdown(&path) && !heading.is_empty())?;
    let known = headings(page_text).any(|known| known == heading);
    (!known).then(|| format!("no such heading: {target}"))
}

/// The path that a link means, relative to the repository; `None` if it leaves it.
fn resolve(page: &str, link: &str) -> Option<String> {
    let from_root = link.strip_prefix('/');
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    if from_root.is_some() {
        parts.clear();
    }
    for part in from_root.unwrap_or(link).split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Lines outside fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Where the links of a page lead: `[text](target)` and `[name]: target`.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        let inline = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let named = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
        for target in inline.chain(named) {
            // A title may follow the target.
            let target = target.split_whitespace().next().unwrap_or_default();
            targets.push((number, target.trim_matches(['<', '>']).to_owned()));
        }
    }
    targets
}

/// The line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// The anchors that GitHub makes of the headings.
fn headings(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept =
            title.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
        kept.map(|character| if character == ' ' { '-' } else { character }).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> Vec<(usize, String)> {
        let other = "# Layout: the `bytes`\n```\n# not a heading\n```\n";
        let repository =
            Repository::of(&[("docs/page.md", text), ("docs/layout.md", other), ("README.md", "# One\n")]);
        links(&repository).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let text = "# Here\n[a](layout.md) [b](../README.md#one) [c](/README.md) [d](#here) [e](https://x.y/z)\n\
                    [f](layout.md#layout-the-bytes \"title\") [g](../docs) `[h](nowhere.md)`\n\
                    ```\n[i](nowhere.md)\n```\n";
        assert_eq!(broken(text), []);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let text =
            "[a](gone.md)\n[b](layout.md#not-a-heading)\n[c](../../outside.md)\n[d]: gone.md\n[e](#gone)\n";
        assert_eq!(broken(text).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    }
}
