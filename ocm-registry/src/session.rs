use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex as Lock, PoisonError},
    time::Duration,
};

use http::StatusCode;
use ocm_oci::{Digest, RepoName};
use ocm_transport::Upload;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};

use crate::problem::{Code, Problem};

/// When to come back where all sessions are taken.
const BUSY: Duration = Duration::from_secs(5);

/// The uploads under way: so many at most, and none that nobody cares for.
///
/// No task looks after them: whoever opens one removes those that were left.
#[derive(Debug)]
pub(crate) struct Sessions {
    table: Lock<Table>,
    max: usize,
    idle: Duration,
}

#[derive(Debug, Default)]
struct Table {
    open: BTreeMap<String, Session>,
    made: u64,
    /// Names must not be guessed from earlier ones: with a name comes the right to write.
    chance: RandomState,
}

#[derive(Debug)]
struct Session {
    repository: RepoName,
    slot: Arc<Mutex<Slot>>,
}

#[derive(Debug)]
pub(crate) struct Slot {
    /// What the place below keeps; nothing before the first byte.
    pub(crate) held: Option<Held>,
    touched: Instant,
}

/// An upload into the place below.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) upload: Box<dyn Upload>,
    /// The digest that it was begun for.
    pub(crate) begun: Digest,
}

impl Slot {
    /// Returns how many bytes are kept.
    pub(crate) fn offset(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.upload.offset())
    }
}

/// One session, for as long as one request works on it.
#[derive(Debug)]
pub(crate) struct Lease(OwnedMutexGuard<Slot>);

impl Lease {
    pub(crate) fn slot(&mut self) -> &mut Slot {
        &mut self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.touched = Instant::now();
    }
}

impl Sessions {
    pub(crate) fn new(max: usize, idle: Duration) -> Self {
        Self { table: Lock::default(), max, idle }
    }

    /// Opens a session and returns its name.
    pub(crate) async fn open(
        &self,
        repository: &RepoName,
        held: Option<Held>,
    ) -> Result<String, Problem> {
        for slot in self.with(|table| table.take_idle(self.idle)) {
            give_up(slot).await;
        }
        let slot = Arc::new(Mutex::new(Slot { held, touched: Instant::now() }));
        let session = Session { repository: repository.clone(), slot };
        self.with(|table| {
            (table.open.len() < self.max).then(|| table.add(session)).ok_or_else(busy)
        })
    }

    /// Takes a session to work on it.
    pub(crate) fn lease(&self, repository: &RepoName, id: &str) -> Result<Lease, Problem> {
        let slot = self.find(repository, id)?;
        slot.try_lock_owned().ok().map(Lease).ok_or_else(|| {
            let message = "another request works on this upload";
            Problem::new(StatusCode::CONFLICT, Code::BlobUploadInvalid, message)
        })
    }

    /// Forgets a session that has come to its end.
    pub(crate) fn close(&self, id: &str) {
        self.with(|table| drop(table.open.remove(id)));
    }

    fn find(&self, repository: &RepoName, id: &str) -> Result<Arc<Mutex<Slot>>, Problem> {
        let found = self.with(|table| {
            let session = table.open.get(id).filter(|one| one.repository == *repository);
            session.map(|session| Arc::clone(&session.slot))
        });
        found.ok_or_else(|| Problem::unknown(Code::BlobUploadUnknown, id))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Table) -> T) -> T {
        act(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Table {
    fn add(&mut self, session: Session) -> String {
        self.made += 1;
        let chance = [self.chance.hash_one(self.made), self.chance.hash_one([self.made])];
        let digest = Digest::of(chance.map(u64::to_le_bytes).as_flattened());
        let id: String = digest.hex().chars().take(32).collect();
        self.open.insert(id.clone(), session);
        id
    }

    /// Removes what nobody has touched for `idle` and nobody works on.
    fn take_idle(&mut self, idle: Duration) -> Vec<Arc<Mutex<Slot>>> {
        let is_idle = |session: &Session| {
            session.slot.try_lock().is_ok_and(|slot| slot.touched.elapsed() >= idle)
        };
        let left: Vec<String> =
            self.open.iter().filter(|(_, one)| is_idle(one)).map(|(id, _)| id.clone()).collect();
        left.iter().filter_map(|id| self.open.remove(id)).map(|session| session.slot).collect()
    }
}

/// Gives the place below its room back.
async fn give_up(slot: Arc<Mutex<Slot>>) {
    if let Some(held) = slot.lock().await.held.take() {
        // It is nobody's any more: there is no one to be told that it went wrong.
        drop(held.upload.abort().await);
    }
}

fn busy() -> Problem {
    let (status, message) = (StatusCode::TOO_MANY_REQUESTS, "too many uploads are under way");
    Problem::new(status, Code::TooManyRequests, message).retry_after(BUSY)
}
