//! What has to be done for a connection while nobody waits for anything, and to get another one when it is lost.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};
use rustix::event::PollFlags;

use super::error::Error;
use super::greeting::greet;
use super::link::{Link, attend};
use crate::protocol::fault;

/// How often a connection is looked after.
const TICK: Duration = Duration::from_secs(1);
/// A host that was not heard for so long is asked whether it is there.
const QUIET: Duration = Duration::from_secs(3);
/// And is gone when it was not heard for so long.
const SILENT: Duration = Duration::from_secs(9);
/// Between a loss and the second attempt to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Between any two attempts at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Begins to look after a link, until it ends.
pub(super) fn start(link: Arc<Link>) -> std::io::Result<()> {
    thread::Builder::new().name("memlane-client".into()).spawn(move || while tend(&link) {}).map(drop)
}

/// One round. Says whether there will be another one.
fn tend(link: &Link) -> bool {
    let mut state = link.lock();
    if state.end.is_some() || state.leaving && state.socket.is_none() {
        return false;
    }
    let Some(socket) = &state.socket else {
        drop(state);
        reconnect(link);
        return true;
    };
    let stream = Arc::clone(socket.get_ref().socket().stream());
    let connection = state.connection;
    let silence = socket.get_ref().socket().heard().elapsed();
    let is_unattended = state.unattended().contains(PollFlags::IN);
    if is_unattended {
        // Answers pings, takes what nobody waits for, and sees the end.
        state.drain(link);
    }
    state.acknowledge(link);
    match silence {
        _ if silence > SILENT => state.lose("it was not heard of for too long".into(), link),
        _ if silence > QUIET => state.ping(link),
        _ => {}
    }
    if state.socket.is_none() {
        return true;
    }
    drop(state);
    let hung_up = !attend(&stream, PollFlags::RDHUP, Some(TICK)).is_empty();
    let state = link.lock();
    let is_others = !state.unattended().contains(PollFlags::IN);
    if hung_up && is_others && state.socket.is_some() && state.connection == connection {
        // Whoever reads sees it too, and says so.
        drop(link.janitor.sleep(state, Some(TICK)));
    }
    true
}

/// Tries until there is a connection, or never will be one.
fn reconnect(link: &Link) {
    let mut pause = FIRST_PAUSE;
    loop {
        let session = link.lock().welcome.session.clone();
        let greeted = greet(&link.address, &link.options, Some(&session));
        let mut state = link.lock();
        if state.end.is_some() || state.leaving {
            return;
        }
        match greeted {
            Ok(greeted) => return state.go_on(greeted, link),
            Err(error) if is_final(&error) => return state.finish(error, link),
            Err(error) => {
                if let Some((_, why)) = &mut state.lost {
                    *why = match error {
                        Error::Unreachable { reason, .. } => reason,
                        error => error.to_string(),
                    };
                }
            }
        }
        let until = Instant::now() + jittered(pause);
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            if state.end.is_some() || state.leaving {
                return;
            }
            state = link.janitor.sleep(state, Some(left));
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether it will be the same next time.
fn is_final(error: &Error) -> bool {
    match error {
        Error::Unreachable { .. } | Error::Token { .. } => false,
        Error::Refused { fault, .. } => {
            [fault::UNAUTHORISED, fault::UNSUPPORTED_VERSION].contains(&fault.code.as_str())
        }
        _ => true,
    }
}

/// Between half of it and all of it, so that the clients of a host do not come back all at once.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without random numbers all pauses are the longest, which is as good for one client.
    let random = SystemRandom::new().fill(&mut byte).map_or(u8::MAX, |()| byte[0]);
    pause / 2 + pause * u32::from(random) / 510
}
