//! `memlane top`: a space on the whole terminal, as it is from moment to moment.
//!
//! | module | what |
//! |---|---|
//! | `feed` | what is seen, by a thread that looks |
//! | `detail` | what is seen of one region, by its kind |
//! | `state`, `keys` | what is shown of it, and what a key or the mouse does to that: no terminal, no clock |
//! | `order` | which regions are listed, and in which order |
//! | `prompt` | what is typed: a filter, a new content |
//! | `views` | how it is drawn, one view a file |
//! | `screen` | the terminal, and that it is given back as it was |
//! | `once` | the same, printed once |
//!
//! It looks four times a second, at pictures up to fifteen times, and writes to the terminal only what changed. It is
//! no participant of anything; a change of a content is made as `memlane set` makes it.

mod detail;
mod feed;
mod keys;
mod once;
mod order;
mod prompt;
mod screen;
mod state;
mod views;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::commands::host::raise_file_limit;
use crate::commands::set::Change;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::frame::screen::is_there;
use crate::source::Source;
use crate::table::Tone;
use detail::Detail;
use feed::{News, Wish};
use memlane::interruption::interruptible;
use prompt::{Edit, Prompt};
use screen::{Happening, Screen};
use state::{State, Wanted};

/// The user has enough. Of the process, as what ends a wait from within can ask nothing smaller.
static HAS_ENDED: AtomicBool = AtomicBool::new(false);

/// See regions live: what changes and how often, who is attached, who waits for whom
///
/// Keys: Tab and 1 to 4 choose a view, arrows a row, Enter opens it, / filters, < > sort, g groups by folder, e edits,
/// u unlocks changes, ? says the rest, q ends. The mouse works, too.
#[derive(Debug, clap::Args)]
pub(crate) struct TopArguments {
    /// Look for a second, print everything once and end; with --json as one object: regions, participants, locks
    #[arg(long)]
    once: bool,
}

impl TopArguments {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let source = context.source()?;
        if self.once {
            return once::print(context, source);
        }
        if context.json() {
            return Err(Failure::new(Exit::Usage, "`--json` needs `--once`: a screen is for people"));
        }
        if !is_there() {
            let message =
                "the output is no terminal that can be drawn on; `memlane top --once` prints it instead";
            return Err(Failure::new(Exit::Usage, message));
        }
        raise_file_limit();
        let place = match source {
            Source::Here(space) => space.directory().display().to_string(),
            Source::There(client) => client.address().to_string(),
        };
        let state = State::new(place, context.colour());
        let (wishes, wished) = mpsc::channel();
        let (sender, news) = mpsc::channel();
        thread::scope(|scope| {
            // The feed ends when nobody wishes any more, also while it waits for a host that is gone.
            let has_ended = || HAS_ENDED.load(Relaxed);
            scope.spawn(move || interruptible(has_ended, || feed::run(source, wished, sender)));
            let shown = show(source, state, wishes, &news);
            HAS_ENDED.store(true, Relaxed);
            shown
        })
    }
}

/// Shows what comes, until the user has enough.
#[allow(clippy::needless_pass_by_value)] // That they are dropped here ends the feed.
fn show(source: &Source, mut state: State, wishes: Sender<Wish>, news: &Receiver<News>) -> Outcome {
    let mut screen = Screen::enter()?;
    let mut wished = None;
    let mut is_new = true;
    loop {
        if is_new {
            screen.draw(|frame| views::draw(&mut state, frame))?;
        }
        let wish = state.wish();
        if wished.as_ref() != Some(&wish) {
            let _ = wishes.send(wish.clone());
            wished = Some(wish);
        }
        is_new = false;
        for happening in screen.happenings()? {
            is_new = true;
            match happening {
                Happening::End => return Ok(()),
                Happening::Stop => screen.stop()?,
                Happening::Event(event) => match keys::handle(&mut state, &event) {
                    Some(Wanted::End) => return Ok(()),
                    Some(Wanted::Stop) => screen.stop()?,
                    Some(Wanted::Change(edit)) => {
                        match write(source, edit) {
                            Ok(()) => state.say("changed".to_owned(), Tone::Plain),
                            Err(edit) => state.prompt = Some(Prompt::Edit(*edit)),
                        }
                        let _ = wishes.send(state.wish());
                    }
                    None => {}
                },
            }
        }
        is_new |= state.connect(source.is_connected());
        for news in news.try_iter() {
            is_new = true;
            state.take(news);
        }
    }
}

/// Writes what was typed, or gives it back to be typed on.
fn write(source: &Source, edit: Edit) -> Result<(), Box<Edit>> {
    if !source.is_connected() {
        return Err(Box::new(
            edit.again("not written, the host is gone; Enter tries again, Esc leaves it".to_owned()),
        ));
    }
    let again = |edit: Edit, failure: Failure| Err(Box::new(edit.again(failure.into_message())));
    match edit.change().apply(source) {
        Ok(Change::Made(_)) => Ok(()),
        Ok(Change::Refused(_)) => match Detail::of(source, &edit.id) {
            Ok(detail) => Err(Box::new(edit.over(&detail))),
            Err(failure) => again(edit, failure),
        },
        Err(failure) => again(edit, failure),
    }
}
