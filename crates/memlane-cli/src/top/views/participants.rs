//! Who is attached, as `memlane ps` shows it.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{lines_of, scrolled};
use crate::commands::ps;
use crate::top::state::State;

pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>, area: Rect) {
    let Some(processes) = &state.processes else { return frame.render_widget("looking …", area) };
    if processes.is_empty() {
        return frame.render_widget("nobody is attached to a region here", area);
    }
    let lines = lines_of(&ps::table(processes), area.width, state.colour);
    scrolled(lines, &mut state.scroll, frame, area);
}
