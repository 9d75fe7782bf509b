//! Ends the suite when a telling hangs: a survivor that waits for the dead for ever is the very fault looked
//! for.

use crate::report;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Far beyond the slowest telling on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Knows what the suite is doing.
#[derive(Debug)]
pub(crate) struct Watchdog {
    news: Sender<News>,
}

/// What is being done, and how many scenarios passed before.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) doing: String,
    pub(crate) passed: usize,
}

impl Watchdog {
    /// Begins to watch; `space` is removed when the suite has to be ended.
    pub(crate) fn start(space: PathBuf) -> Self {
        let (news, latest) = mpsc::channel::<News>();
        thread::spawn(move || {
            let Ok(mut last) = latest.recv() else { return };
            loop {
                match latest.recv_timeout(PATIENCE) {
                    Ok(next) => last = next,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => give_up(&last, &space),
                }
            }
        });
        Self { news }
    }

    /// Says what happens next.
    pub(crate) fn tell(&self, news: News) {
        // The watchdog lives as long as this end of its channel.
        let _ = self.news.send(news);
    }
}

/// The victims die with this process.
fn give_up(News { doing, passed }: &News, space: &Path) -> ! {
    report::failure(&format!("{doing}: hangs for {PATIENCE:?}"));
    report::total(*passed, 1);
    let _ = fs::remove_dir_all(space);
    process::exit(1);
}
