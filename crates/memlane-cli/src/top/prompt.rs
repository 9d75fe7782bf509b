//! What is typed: a filter, or a new content.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

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
    pub(super) part: PartArguments,
    /// What stood there when the user began, which is to be there still; nothing where elements change one by one.
    pub(super) expected: Option<String>,
    pub(super) input: Input,
    /// Enter is a line's end.
    pub(super) has_lines: bool,
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
