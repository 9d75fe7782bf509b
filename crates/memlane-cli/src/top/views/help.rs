//! What the keys do.

use ratatui::Frame;
use ratatui::layout::Rect;

const HELP: &str = "\
 Everywhere      Tab, 1 2 3 4   the views            q, Ctrl-C   end
                 u              unlock and lock      Ctrl-Z      stop for now
 Regions         ↑ ↓ PgUp PgDn  choose               Enter       open
                 /              filter by id, kind, state or writer; Esc shows all
                 < >            sort by another column            r  reversed
                 g              group by folder
 Detail          ↑ ↓ ← →        choose a field or an element
                 e, Enter       edit it; a text is written by Ctrl-S
                 Esc            back to the regions
 Mouse           click a view or a row, once more to open it; the wheel scrolls

 While it is locked, every change is asked for before it is made. A change is
 made only where what stands is still what you saw when you began to type.

 States: live, quiet (no change for two seconds), stale (its publisher lives and
 is late), dead publisher, dead owner (of the lock), inconsistent, unreadable.";

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect) {
    frame.render_widget(ratatui::widgets::Paragraph::new(HELP), area);
}
