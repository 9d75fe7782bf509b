//! The scenarios' text, whose form its head describes.

use crate::failure::{Failure, Outcome};

/// What two processes do together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) title: String,
    /// With their lines, counted from 1.
    pub(crate) steps: Vec<(usize, Step)>,
}

/// What happens next with one of the two, 0 or 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is told to begin with a command.
    Tell { part: usize, command: String },
    /// It has to answer.
    Hear { part: usize, answer: String },
    /// It dies.
    Kill { part: usize },
    /// There is a new one.
    Start { part: usize },
}

pub(crate) fn parse(text: &str) -> Outcome<Vec<Scenario>> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    for (number, line) in lines {
        if let Some(title) = line.strip_prefix("= ") {
            scenarios.push(Scenario { title: title.to_owned(), steps: Vec::new() });
            continue;
        }
        let scenario = scenarios.last_mut();
        let (Some(scenario), Some(steps)) = (scenario, steps(line)) else {
            return Err(Failure::new(format!(
                "line {number} of the scenarios is none of their forms: {line}"
            )));
        };
        scenario.steps.extend(steps.into_iter().map(|step| (number, step)));
    }
    Ok(scenarios)
}

fn steps(line: &str) -> Option<Vec<Step>> {
    if let Some(name) = line.strip_prefix("kill ") {
        return Some(vec![Step::Kill { part: part(name)? }]);
    }
    if let Some(name) = line.strip_prefix("start ") {
        return Some(vec![Step::Start { part: part(name)? }]);
    }
    let part = part(line.get(..1)?)?;
    let tell = |command: &str| Step::Tell { part, command: command.to_owned() };
    let hear = |answer: &str| Step::Hear { part, answer: answer.to_owned() };
    let rest = line.get(3..)?;
    match line.get(1..3)? {
        ": " => rest.split_once(" -> ").map(|(command, answer)| vec![tell(command), hear(answer)]),
        "> " => Some(vec![tell(rest)]),
        "< " => Some(vec![hear(rest)]),
        _ => None,
    }
}

fn part(name: &str) -> Option<usize> {
    ["a", "b"].iter().position(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_has_titles_and_steps() {
        let scenarios = parse("# what\n\n= one\na: put 1 -> ok\nb> get\nb< 1\nkill a\nstart a\n").unwrap();
        let [one] = scenarios.as_slice() else { panic!("{scenarios:?}") };
        assert_eq!(one.title, "one");
        let tell = |part, command: &str| Step::Tell { part, command: command.to_owned() };
        let hear = |part, answer: &str| Step::Hear { part, answer: answer.to_owned() };
        let expected = [
            (4, tell(0, "put 1")),
            (4, hear(0, "ok")),
            (5, tell(1, "get")),
            (6, hear(1, "1")),
            (7, Step::Kill { part: 0 }),
            (8, Step::Start { part: 0 }),
        ];
        assert_eq!(one.steps, expected);
    }

    #[test]
    fn what_is_no_step_is_refused_with_its_line() {
        for wrong in ["a: put 1 -> ok", "= one\nc: put -> ok", "= one\na: put", "= one\nkill c", "= one\na"] {
            let refused = parse(wrong).unwrap_err().to_string();
            assert!(refused.contains(&format!("line {}", wrong.lines().count())), "{refused}");
        }
    }
}
