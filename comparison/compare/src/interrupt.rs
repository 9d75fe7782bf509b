//! Ctrl-C: all that was started is ended, and all that was made is removed, before the driver ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on a request to stop is a flag.
pub(crate) fn heed() -> Result<()> {
    let interrupted = INTERRUPTED.get_or_init(Arc::default);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(interrupted))?;
    }
    Ok(())
}

/// Whether somebody asked to stop.
pub(crate) fn happened() -> bool {
    // Nothing else is read because of it.
    INTERRUPTED.get().is_some_and(|interrupted| interrupted.load(Ordering::Relaxed))
}
