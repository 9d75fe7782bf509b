//! What is typed: a filter, or a new content.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::detail::{Content, Detail};
use crate::commands::set::Set;
use crate::human;
use crate::selection::PartArguments;

/// A text under the cursor.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) text: String,
    /// A byte of the text, at a character's beginning.
    pub(super) cursor: usize,
}

/// What a text is typed for.
#[derive(Debug, Clone)]
pub(super) enum Prompt {
    Filter(Input),
    Edit(Edit),
    /// The same, ready to be done, if the user says yes.
    Confirm(Edit),
}

/// A change of a content that is being typed.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) id: String,
    /// The number of the field or element.
    pub(super) number: usize,
    pub(super) part: PartArguments,
    /// What the user knows to stand there, which is to be there still; nothing where elements change one by one.
    pub(super) expected: Option<String>,
    pub(super) input: Input,
    /// Enter is a line's end.
    pub(super) has_lines: bool,
    /// Why it was not written when the user wanted it to be.
    pub(super) trouble: Option<String>,
}

impl Edit {
    /// Of that field or element of what is seen; nothing where there is nothing to be typed.
    pub(super) fn of(detail: &Detail, number: usize) -> Option<Self> {
        let (part, expected, text, has_lines) = match &detail.content {
            Content::Text(text) => (PartArguments::default(), Some(text), text, true),
            Content::Fields(fields) => {
                let (name, value) = fields.get(number)?;
                (PartArguments::field(name), Some(value), value, false)
            }
            Content::Elements(elements, _) => {
                (PartArguments::element(number), None, elements.get(number)?, false)
            }
            _ => return None,
        };
        let (id, expected) = (detail.id.clone(), expected.cloned());
        Some(Self { id, number, part, expected, input: Input::of(text), has_lines, trouble: None })
    }

    /// The same again, after it was not written for this reason.
    pub(super) fn again(self, trouble: String) -> Self {
        Self { trouble: Some(trouble), ..self }
    }

    /// The same again, after somebody was faster: over what is seen now, if the user still wants to.
    pub(super) fn over(self, detail: &Detail) -> Self {
        let Some(anew) = Self::of(detail, self.number) else {
            return self
                .again("somebody was faster, and there is nothing to be written over any more".to_owned());
        };
        let found = human::cut(anew.expected.as_deref().unwrap_or_default(), 12).replace('\n', "⏎");
        let key = if self.has_lines { "Ctrl-S" } else { "Enter" };
        let trouble = format!("somebody was faster, it is {found} now: {key} writes over it, Esc does not");
        // A number may be another one each time; a text is never written over unseen.
        let expected = anew.expected.filter(|_| anew.has_lines);
        Self { input: self.input, expected, ..anew }.again(trouble)
    }

    /// The change that it is.
    pub(super) fn change(&self) -> Set {
        Set::of_part(&self.id, self.part.clone(), self.input.text.clone(), self.expected.clone())
    }
}

impl Input {
    pub(super) fn of(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    /// Types a key, if it is one for typing.
    pub(super) fn press(&mut self, key: KeyEvent) {
        let (before, after) = self.text.split_at(self.cursor);
        let left = before.chars().next_back().map_or(0, char::len_utf8);
        let right = after.chars().next().map_or(0, char::len_utf8);
        match key.code {
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => *self = Self::default(),
            KeyCode::Char(character) if !key.modifiers.contains(KeyModifiers::CONTROL) => {
                self.insert(character);
            }
            KeyCode::Enter => self.insert('\n'),
            KeyCode::Backspace if left > 0 => {
                self.cursor -= left;
                self.text.remove(self.cursor);
            }
            KeyCode::Delete if right > 0 => {
                self.text.remove(self.cursor);
            }
            KeyCode::Left => self.cursor -= left,
            KeyCode::Right => self.cursor += right,
            KeyCode::Home => self.cursor = before.rfind('\n').map_or(0, |end| end + 1),
            KeyCode::End => self.cursor += after.find('\n').unwrap_or(after.len()),
            KeyCode::Up => self.cursor = before.rfind('\n').unwrap_or(0),
            KeyCode::Down => self.cursor += after.find('\n').map_or(after.len(), |end| end + 1),
            _ => {}
        }
    }

    fn insert(&mut self, character: char) {
        self.text.insert(self.cursor, character);
        self.cursor += character.len_utf8();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stands_at_the_cursor() {
        let mut input = Input::of("Größe");
        for code in [KeyCode::Left, KeyCode::Backspace, KeyCode::Char('s'), KeyCode::Home, KeyCode::Delete] {
            input.press(code.into());
        }
        assert_eq!((input.text.as_str(), input.cursor), ("röse", 0));
        for code in [
            KeyCode::Backspace,
            KeyCode::Left,
            KeyCode::End,
            KeyCode::Right,
            KeyCode::Enter,
            KeyCode::Char('記'),
        ] {
            input.press(code.into());
        }
        assert_eq!(input.text, "röse\n記");
        input.press(KeyCode::Up.into());
        input.press(KeyCode::Char('!').into());
        assert_eq!(input.text, "röse!\n記");
        input.press(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        assert_eq!(input, Input::default());
    }
}
