//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

use super::limits::Limits;

/// The connections there are, by address.
#[derive(Debug, Default)]
pub(super) struct Connections {
    by_address: Mutex<HashMap<IpAddr, usize>>,
    ended: Notify,
}

/// A connection's place among them, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    /// A place for a connection from there, if there may be another.
    pub(super) fn place(self: &Arc<Self>, address: IpAddr, limits: &Limits) -> Option<Place> {
        let address = address.to_canonical();
        let mut by_address = self.by_address();
        if by_address.values().sum::<usize>() >= limits.connections {
            return None;
        }
        let count = by_address.entry(address).or_default();
        if *count >= limits.connections_per_address {
            return None;
        }
        *count += 1;
        Some(Place { connections: self.clone(), address })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.by_address().values().sum()
    }

    /// Until there are none.
    pub(super) async fn all_ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.count() == 0 {
                return;
            }
            ended.await;
        }
    }

    fn by_address(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_address = self.connections.by_address();
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
        self.connections.ended.notify_waiters();
    }
}
