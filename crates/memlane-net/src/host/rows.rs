//! The space's [`Snapshot`], looked at for all who ask. Nobody looks unless somebody asks, and what was mapped for
//! looking is let go when nobody has for a while.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use memlane::Space;
use serde_json::Value;
use tokio::{task, time};

use super::watcher::locked;
use crate::protocol::fault::Fault;
use crate::view::snapshot::{Rows as Shown, Snapshot};

/// Between two looks for those who watch.
const SHORTEST: Duration = Duration::from_millis(40);
/// After the last look.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// All rows.
#[derive(Debug)]
pub(crate) struct Rows {
    space: Space,
    table: Arc<Mutex<Option<Table>>>,
}

#[derive(Debug)]
struct Table {
    snapshot: Snapshot,
    shown: Option<Arc<Shown>>,
    looked: Instant,
}

impl Rows {
    pub(crate) fn new(space: Space) -> Self {
        Self { space, table: Arc::default() }
    }

    /// All rows as they are, or were just now.
    pub(crate) async fn look(&self) -> Result<Arc<Shown>, Fault> {
        // Whoever asks at the same time waits for the same look.
        self.with(|table| {
            let known = table.shown.take().filter(|_| table.looked.elapsed() < SHORTEST);
            let shown = known.map_or_else(
                || {
                    table.looked = Instant::now();
                    table.snapshot.look()
                },
                Ok,
            )?;
            Ok(Arc::clone(table.shown.insert(shown)))
        })
        .await
    }

    /// The rows whose id is wanted, as they are now.
    pub(crate) async fn list(
        &self,
        wanted: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<Vec<Arc<Value>>, Fault> {
        self.with(move |table| {
            (table.looked, table.shown) = (Instant::now(), None);
            table.snapshot.look_at(wanted)
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Table) -> memlane::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let (space, table) = (self.space.clone(), Arc::clone(&self.table));
        let looked = task::spawn_blocking(move || {
            let mut kept = locked(&table);
            if kept.is_none() {
                task::spawn(let_go(Arc::clone(&table)));
            }
            look(kept.get_or_insert_with(|| Table {
                snapshot: Snapshot::new(space),
                shown: None,
                looked: Instant::now(),
            }))
        });
        Ok(looked.await.map_err(|error| Fault::new("system", error.to_string()))??)
    }
}

/// Ends when nobody has looked for long: the memory of regions that were removed is not to be kept for nobody.
async fn let_go(table: Arc<Mutex<Option<Table>>>) {
    loop {
        time::sleep(KEPT_FOR).await;
        let mut kept = locked(&table);
        let idle = kept.as_ref().map(|kept| kept.looked.elapsed());
        if idle.is_none_or(|idle| idle >= KEPT_FOR) {
            *kept = None;
            return;
        }
    }
}
