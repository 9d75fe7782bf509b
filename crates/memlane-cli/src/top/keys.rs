//! What a key or the mouse does.

use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Position;

use super::order::Sort;
use super::prompt::Prompt;
use super::state::{State, View, Wanted};

/// Rows that a turn of the wheel is.
const WHEEL: isize = 3;

/// Does what the event means; gives back what is not the state's to do.
pub(super) fn handle(state: &mut State, event: &Event) -> Option<Wanted> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => press(state, *key),
        Event::Mouse(mouse) if state.prompt.is_none() => {
            point(state, *mouse);
            None
        }
        _ => None,
    }
}

fn press(state: &mut State, key: KeyEvent) -> Option<Wanted> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if control => return Some(Wanted::End),
        KeyCode::Char('z') if control => return Some(Wanted::Stop),
        _ => {}
    }
    if let Some(prompt) = state.prompt.take() {
        return answer(state, prompt, key);
    }
    (state.note, state.is_eager) = (None, false);
    match key.code {
        KeyCode::Char('q') => return Some(Wanted::End),
        KeyCode::Char('?') => state.go(View::Help),
        KeyCode::Char('u') => state.unlocked = !state.unlocked,
        KeyCode::Tab => turn(state, 1),
        KeyCode::BackTab => turn(state, View::TABS.len() - 1),
        KeyCode::Char(digit @ '1'..='4') => {
            let (view, _) = View::TABS[digit as usize - '1' as usize];
            state.turn_to(view);
        }
        KeyCode::Esc if state.view == View::Regions && !state.order.filter.is_empty() => {
            state.order.filter.clear();
            state.arrange();
        }
        KeyCode::Esc => state.go(View::Regions),
        _ => match state.view {
            View::Regions => among_regions(state, key.code),
            View::Detail => in_detail(state, key.code),
            View::Participants | View::Locks | View::Help => {
                state.scroll = state.scroll.saturating_add_signed(step_of(state, key.code));
            }
        },
    }
    None
}

/// The next view.
fn turn(state: &mut State, by: usize) {
    let now = View::TABS.iter().position(|(view, _)| *view == state.view).unwrap_or(0);
    let (view, _) = View::TABS[(now + by) % View::TABS.len()];
    state.turn_to(view);
}

/// How far a key goes, in rows.
fn step_of(state: &State, code: KeyCode) -> isize {
    let page = isize::try_from(state.places.rows.height.max(2)).unwrap_or(1) - 1;
    match code {
        KeyCode::Up | KeyCode::Char('k') => -1,
        KeyCode::Down | KeyCode::Char('j') => 1,
        KeyCode::PageUp => -page,
        KeyCode::PageDown => page,
        KeyCode::Home => isize::MIN / 2,
        KeyCode::End => isize::MAX / 2,
        _ => 0,
    }
}

fn among_regions(state: &mut State, code: KeyCode) {
    match code {
        KeyCode::Enter => state.open(),
        KeyCode::Char('/') => {
            state.prompt = Some(Prompt::Filter(super::prompt::Input::of(&state.order.filter)));
        }
        KeyCode::Char('g') => {
            state.order.grouped = !state.order.grouped;
            state.arrange();
        }
        KeyCode::Char('r') => {
            state.order.descending = !state.order.descending;
            state.arrange();
        }
        KeyCode::Char(side @ ('<' | '>')) => {
            let now = Sort::ALL.iter().position(|sort| *sort == state.order.sort).unwrap_or(0);
            let by = if side == '<' { Sort::ALL.len() - 1 } else { 1 };
            state.order.sort = Sort::ALL[(now + by) % Sort::ALL.len()];
            state.arrange();
        }
        KeyCode::Char('e') => {
            state.open();
            if state.view == View::Detail {
                state.edit();
            }
        }
        code => match step_of(state, code) {
            0 => {}
            step => state.step(step),
        },
    }
}

fn in_detail(state: &mut State, code: KeyCode) {
    match code {
        KeyCode::Enter | KeyCode::Char('e') => state.edit(),
        KeyCode::Left => state.part = state.part.saturating_sub(1),
        KeyCode::Right => state.part = (state.part + 1).min(state.parts().saturating_sub(1)),
        code => state.step_in_detail(step_of(state, code)),
    }
}

/// A key while something is typed or asked.
fn answer(state: &mut State, prompt: Prompt, key: KeyEvent) -> Option<Wanted> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match (prompt, key.code) {
        (Prompt::Filter(_), KeyCode::Esc) => {
            state.order.filter.clear();
            state.arrange();
        }
        (Prompt::Filter(_), KeyCode::Enter) | (Prompt::Edit(_), KeyCode::Esc) => {}
        (Prompt::Filter(mut input), _) => {
            input.press(key);
            state.order.filter.clone_from(&input.text);
            state.arrange();
            state.prompt = Some(Prompt::Filter(input));
        }
        (Prompt::Edit(mut edit), code) => {
            let is_done = code == KeyCode::Enter && !edit.has_lines || code == KeyCode::Char('s') && control;
            if !is_done {
                edit.input.press(key);
                state.prompt = Some(Prompt::Edit(edit));
            // Whoever was told why it was not written has been asked by that.
            } else if state.unlocked || edit.trouble.is_some() {
                return Some(Wanted::Change(edit));
            } else {
                state.prompt = Some(Prompt::Confirm(edit));
            }
        }
        (Prompt::Confirm(edit), KeyCode::Char('y')) => return Some(Wanted::Change(edit)),
        // Back to what was typed: a mistyped answer is to lose nothing.
        (Prompt::Confirm(edit), _) => state.prompt = Some(Prompt::Edit(edit)),
    }
    None
}

fn point(state: &mut State, mouse: MouseEvent) {
    let at = Position { x: mouse.column, y: mouse.row };
    match mouse.kind {
        MouseEventKind::ScrollUp => wheel(state, -WHEEL),
        MouseEventKind::ScrollDown => wheel(state, WHEEL),
        MouseEventKind::Down(MouseButton::Left) => {
            let tab = state.places.tabs.iter().find(|(area, _)| area.contains(at)).map(|(_, view)| *view);
            match tab {
                Some(view) => state.turn_to(view),
                None if state.places.rows.contains(at) => {
                    click(state, usize::from(at.y - state.places.rows.y));
                }
                None => {}
            }
        }
        _ => {}
    }
}

fn wheel(state: &mut State, by: isize) {
    match state.view {
        View::Regions => state.step(by),
        View::Detail => state.step_in_detail(by),
        _ => state.scroll = state.scroll.saturating_add_signed(by),
    }
}

/// A click on a row chooses it, a second one opens it.
fn click(state: &mut State, row: usize) {
    if state.view != View::Regions || state.offset + row >= state.items.len() {
        return;
    }
    let before = state.cursor;
    state.cursor = state.offset + row;
    state.step(0);
    if state.cursor == before {
        state.open();
    }
}
