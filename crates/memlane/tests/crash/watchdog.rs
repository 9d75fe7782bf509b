//! Ends the suite when a telling hangs: a survivor that waits for ever for the dead is the very fault looked for.

use crate::report;
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
    pub(crate) fn start() -> Self {
        let (news, latest) = mpsc::channel::<News>();
        thread::spawn(move || {
            let Ok(mut last) = latest.recv() else { return };
            loop {
                match latest.recv_timeout(PATIENCE) {
                    Ok(next) => last = next,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => give_up(&last),
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
fn give_up(News { doing, passed }: &News) -> ! {
    report::failure(&format!("{doing}: hangs for {PATIENCE:?}"));
    report::total(*passed, 1);
    process::exit(1);
}
