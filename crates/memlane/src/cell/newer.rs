//! A change of a region's content, to wait for: alone, or among others in a [`WaitSet`](crate::WaitSet).
//!
//! Of a value the scalar is compared as well as the version, which is raised after it.

use crate::atomic::{AtomicU32, Ordering::Acquire};
use crate::error::Result;
use crate::kind::Kind;
use crate::layout::VersionLine;
use crate::participant::WaitingFor;
use crate::region::Region;
use crate::sync::version;
use crate::sync::waiter::{TimedOut, Wait};
use crate::wait_set::{Look, Sleep, arm_low_half};
use std::time::{Duration, Instant};

/// A content that is newer than one that was seen.
#[derive(Debug, Clone)]
#[must_use = "it is to be waited for"]
pub struct Newer {
    region: Region,
    version: u64,
    /// The scalar that was seen, of a value.
    bits: Option<u64>,
}

impl Newer {
    pub(super) fn than(region: &Region, version: u64, bits: Option<u64>) -> Self {
        Self { region: region.clone(), version, bits }
    }

    /// Waits for it; gives back its version.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<u64> {
        let attachment = self.region.attachment().as_ref();
        let start = Instant::now();
        if let Some(version) = self.now(version::count(self.line().version.load(Acquire))) {
            return Ok(version);
        }
        let _waiting = attachment.blocked(attachment.me()?, WaitingFor::Change);
        let differs = |now| self.now(now).is_some();
        let changed =
            version::wait_until(&self.line().version, attachment, &mut Wait::until(timeout), differs);
        changed.map_err(|TimedOut| {
            let what = match self.region.description().kind {
                Kind::Value => "a newer value",
                Kind::Array => "a newer element",
                _ => "a newer content",
            };
            self.region.timed_out(what, start)
        })
    }

    fn line(&self) -> &VersionLine {
        &self.region.attachment().version
    }

    /// The version `now`, if the content is newer.
    fn now(&self, now: u64) -> Option<u64> {
        let differs =
            now != self.version || self.bits.is_some_and(|bits| self.line().value.load(Acquire) != bits);
        differs.then_some(now)
    }
}

impl Sleep for Newer {
    fn id(&self) -> &str {
        self.region.id()
    }

    fn is_ready(&self, _: Look) -> bool {
        self.now(version::count(self.line().version.load(Acquire))).is_some()
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        arm_low_half(&self.line().version, |now| self.now(now).is_some())
    }

    /// A change of a content is for all, and wakes all.
    fn pass_on(&self) {}
}
