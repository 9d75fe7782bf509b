//! What clients of a host may ask for, and the places that their connections take.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What clients may ask for. Connections beyond are closed at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_per_address: usize,
    /// From the first byte of a request to its last, and for taking a reply.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 256, connections_per_address: 64, patience: Duration::from_secs(10) }
    }
}

/// How many connections there are, by address.
#[derive(Debug)]
pub(super) struct Seats {
    limits: Limits,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    address: IpAddr,
}

impl Seats {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    pub(super) fn take(self: Arc<Self>, address: IpAddr) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.get(&address).copied().unwrap_or(0);
        let in_all: usize = taken.values().sum();
        if here >= self.limits.connections_per_address || in_all >= self.limits.connections {
            return None;
        }
        taken.insert(address, here + 1);
        drop(taken);
        Some(Seat { seats: self, address })
    }
}

impl Seat {
    pub(super) fn limits(&self) -> &Limits {
        &self.seats.limits
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let left = taken.get(&self.address).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.address);
        } else {
            taken.insert(self.address, left);
        }
    }
}
