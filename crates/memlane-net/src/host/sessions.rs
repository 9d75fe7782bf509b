//! All sessions of a host, by their secret ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::link::Link;
use super::secret::random;
use super::session::Session;
use super::shared::Shared;
use crate::protocol::fault::{self, Fault};
use crate::protocol::hello::Access;

/// Bytes of a session's id, and of the name that people see.
const ID_BYTES: usize = 16;
const NAME_BYTES: usize = 3;

/// The sessions there are.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    table: Mutex<HashMap<String, Arc<Session>>>,
}

impl Sessions {
    /// The session that is asked for, if it is one with the same access, else a new one; and whether it goes on.
    pub(super) fn enter(
        &self,
        shared: &Shared,
        asked: Option<&str>,
        access: Access,
        link: &Arc<Link>,
    ) -> Result<(Arc<Session>, bool), Fault> {
        if let Some(session) = self.resume(asked, access, link) {
            return Ok((session, true));
        }
        self.make_room(shared)?;
        let unlucky = |error: std::io::Error| Fault::new("system", error.to_string());
        let (id, name) = (random(ID_BYTES).map_err(unlucky)?, random(NAME_BYTES).map_err(unlucky)?);
        let session = Session::new(shared, id.clone(), name, link.clone(), access);
        self.table().insert(id, session.clone());
        Ok((session, false))
    }

    /// Attached while the table is locked, so that no session is forgotten under its connection.
    fn resume(&self, asked: Option<&str>, access: Access, link: &Arc<Link>) -> Option<Arc<Session>> {
        let table = self.table();
        let session = table.get(asked?).filter(|session| session.access == access)?;
        session.attach(link.clone());
        Some(session.clone())
    }

    /// The connection is gone: if it was the session's, the times begin to run.
    pub(super) fn leave(&self, shared: &Arc<Shared>, session: &Arc<Session>, link: &Arc<Link>) {
        let Some(visit) = session.detach(link) else { return };
        let (shared, session) = (shared.clone(), session.clone());
        tokio::spawn(async move {
            let limits = &shared.limits;
            tokio::time::sleep(limits.grace).await;
            if !session.lapse(visit) {
                return;
            }
            tokio::time::sleep(limits.kept.saturating_sub(limits.grace)).await;
            let mut table = shared.sessions.table();
            if session.is_away_since(visit) {
                table.remove(&session.id);
            }
        });
    }

    /// Forgets a session; what it holds is given back.
    pub(super) fn end(&self, session: &Arc<Session>, fault: &Fault) {
        self.table().remove(&session.id);
        session.end(fault);
    }

    /// Forgets all sessions.
    pub(super) fn end_all(&self, fault: &Fault) {
        let all = std::mem::take(&mut *self.table());
        all.into_values().for_each(|session| session.end(fault));
    }

    /// Those there are now.
    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        self.table().values().cloned().collect()
    }

    /// When there are too many, one that is away has to go.
    fn make_room(&self, shared: &Shared) -> Result<(), Fault> {
        let most = shared.limits.sessions;
        if self.table().len() < most {
            return Ok(());
        }
        let away = self.all().into_iter().filter_map(|session| Some((session.away()?, session)));
        let Some((_, longest)) = away.max_by_key(|(away, _)| *away) else {
            return Err(Fault::new(fault::LIMIT, format!("there are {most} sessions, and may be no more")));
        };
        self.end(&longest, &Fault::new(fault::LIMIT, "another session needed the room"));
        Ok(())
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
