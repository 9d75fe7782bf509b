//! A region: one named, mapped file that describes itself, and this process's part in it.
//!
//! **Creation** is atomic. The file has no name while it is reserved, written and checked; one `linkat` makes
//! it a region. Killed before, nothing was ever there; killed after, it is complete. **Attaching** maps it
//! and takes a participant slot; all handles of one process share one attachment, found by inode.
//! **Detaching** happens with the last handle, or with the process.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | creating, before `linkat` | nothing: the kernel frees unnamed files | nobody | no region |
//! | creating, after it | a whole region without participants | nobody | a region |
//! | between making a folder and `linkat` | an empty folder | whoever removes a neighbour, or `doctor --fix` | nothing |
//! | attaching | a dead participant, or none | the next who takes the slot | a dead participant |
//! | removing | the region or no region | nobody | one of the two |

use crate::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use crate::error::{Error, Result};
use crate::header::{Blueprint, Description};
use crate::interruption;
use crate::kind::Kind;
use crate::layout::{self, Header, LOCK_OFFSET, LockLine, MAX_REGION_SIZE, VERSION_OFFSET, VersionLine};
use crate::os::file::{self, RegionFile, Unnamed};
use crate::os::mapping::{Access, Mapping, Shared, SharedBytes};
use crate::os::presence::{self, Presence};
use crate::os::{self, fork, futex};
use crate::participant::{Participant, Participants, Waiting, WaitingFor};
use crate::schema::Schema;
use crate::space::Space;
use crate::sync::claim::Claim;
use crate::sync::lock::Lock;
use crate::sync::waiter::{Expired, Peers, Wait};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use zerocopy::IntoBytes;

/// Creating and opening chase each other when others remove the region in between; that many times is not by chance.
const MAX_CHASES: u32 = 1000;
/// How long a sweeper holds a region's slots, about.
const SWEEP_MOMENT: Duration = Duration::from_micros(100);
/// A waiter looks for a dead holder at least this often; the first look comes earlier.
const FIRST_SLICE: Duration = Duration::from_millis(if cfg!(feature = "delays") { 3000 } else { 5 });
const LONGEST_SLICE: Duration = Duration::from_millis(if cfg!(feature = "delays") { 3000 } else { 40 });

/// Which of a region's existing or not existing is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It must exist.
    Open,
    /// It must not exist.
    Create,
    /// Either is fine: real-time tools start in any order.
    OpenOrCreate,
}

/// A handle on a region of any kind. Cheap to clone; all handles of a process are one participant.
#[derive(Debug, Clone)]
pub struct Region {
    attachment: Arc<Attachment>,
}

/// This process's part in a region.
#[derive(Debug)]
pub(crate) struct Attachment {
    id: String,
    path: PathBuf,
    space: Space,
    description: Description,
    file: RegionFile,
    mapping: Arc<Mapping>,
    participants: Participants,
    pub(crate) version: Shared<VersionLine>,
    pub(crate) lock: Shared<LockLine>,
    identity: Identity,
}

/// Who this process is in the region. A forked child finds its parent's and takes one of its own.
#[derive(Debug)]
struct Identity {
    claim: AtomicU32,
    /// The fork count under which `claim` was made; stored last.
    forks: AtomicU32,
    presence: Mutex<Option<Presence>>,
}

impl Region {
    /// Opens a region of any kind as a participant: for tools that lock, or that go on by [`Region::description`].
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        let path = space.path_of(id)?;
        Self::open_existing(space, id, &path)
    }

    pub(crate) fn obtain(space: &Space, id: &str, opening: Opening, blueprint: &Blueprint) -> Result<Self> {
        let path = space.path_of(id)?;
        for _ in 0..MAX_CHASES {
            if opening != Opening::Create {
                match Self::open_existing(space, id, &path) {
                    // A folder may stand there that somebody killed left empty; creating takes that away.
                    Err(Error::NotFound { .. } | Error::NameConflict { .. })
                        if opening == Opening::OpenOrCreate => {}
                    other => {
                        let region = other?;
                        region.expect_schema(blueprint.kind, blueprint.schema.as_ref())?;
                        return Ok(region);
                    }
                }
            }
            match create(space, id, &path, blueprint) {
                // Somebody was faster, or the folder was taken away under us: look again.
                Err(Error::AlreadyExists { .. }) if opening == Opening::OpenOrCreate => {}
                Err(error) => return Err(error),
                // Removed again before we were attached: what was asked for is gone, so make it anew.
                Ok(file) => match attach(space, id, path.clone(), file) {
                    Err(Error::NotFound { .. }) => {}
                    other => return other,
                },
            }
        }
        Err(Error::System { id: id.into(), action: "create", source: Errno::AGAIN.into() })
    }

    fn open_existing(space: &Space, id: &str, path: &std::path::Path) -> Result<Self> {
        let file = file::open(path, Access::ReadWrite).map_err(|error| match error {
            // What a socket says, which cannot be opened at all.
            Errno::NXIO => not_a_region(id),
            other => space.refused(id, "open", other),
        })?;
        attach(space, id, path.to_owned(), file)
    }

    /// Checks that an opened region is what was asked for.
    pub(crate) fn expect_schema(&self, kind: Kind, schema: Option<&Schema>) -> Result<()> {
        self.expect_kind(kind)?;
        let found = self.description().schema.as_ref();
        if found == schema {
            return Ok(());
        }
        let text = |schema: Option<&Schema>| schema.map_or_else(|| "none".to_owned(), Schema::to_string);
        Err(Error::SchemaMismatch { id: self.id().into(), expected: text(schema), found: text(found) })
    }

    /// How the body is to be read, for the kinds that have one.
    pub(crate) fn schema(&self) -> Result<&Schema> {
        self.description().schema.as_ref().ok_or_else(|| self.corrupt("it has no schema".into()))
    }

    /// Checks the kind's parameters, which go by these names.
    pub(crate) fn expect_parameters(&self, blueprint: &Blueprint, names: &[&'static str]) -> Result<()> {
        let pairs = self.description().parameters.iter().zip(&blueprint.parameters).zip(names);
        match pairs.into_iter().find(|((found, expected), _)| found != expected) {
            None => Ok(()),
            Some(((found, expected), parameter)) => {
                let (expected, found) = (*expected, *found);
                Err(Error::ParameterMismatch { id: self.id().into(), parameter, expected, found })
            }
        }
    }

    /// `what` did not come since `start`.
    #[cold]
    pub(crate) fn timed_out(&self, what: &'static str, start: Instant) -> Error {
        Error::Timeout { id: self.id().into(), what, waited: start.elapsed() }
    }

    /// [`Self::timed_out`], because of who holds it.
    #[cold]
    pub(crate) fn timed_out_by(&self, holder: String, what: &'static str, start: Instant) -> Error {
        Error::LockTimeout { id: self.id().into(), what, waited: start.elapsed(), holder }
    }

    pub(crate) fn expect_kind(&self, expected: Kind) -> Result<()> {
        let found = self.description().kind;
        if found == expected {
            return Ok(());
        }
        Err(Error::WrongKind { id: self.id().into(), expected: expected.name(), found: found.name() })
    }

    /// The id inside the space.
    pub fn id(&self) -> &str {
        &self.attachment.id
    }

    /// What the region says of itself.
    pub fn description(&self) -> &Description {
        &self.attachment.description
    }

    /// The change counter of a value, record, array, text or raw region. A hint for values, arrays and raw regions,
    /// exact for records and texts.
    pub fn version(&self) -> u64 {
        crate::sync::version::count(self.attachment.version.version.load(Acquire))
    }

    /// The region's own lock, which belongs to its users: no kind takes it for its own purposes.
    pub fn lock(&self) -> Lock {
        Lock::of(self.clone())
    }

    /// Whether the name was removed; the memory stays until the last handle is gone.
    pub fn unlinked(&self) -> bool {
        self.attachment.file.is_unlinked()
    }

    /// Everybody attached, and who died attached.
    pub fn participants(&self) -> Vec<Participant> {
        let attachment = &self.attachment;
        attachment.participants.list(attachment.living_claim(), &attachment.file)
    }

    /// Raises the change counter and wakes who waits for a change.
    #[inline]
    pub(crate) fn changed(&self) {
        crate::sync::version::advance(&self.attachment.version.version, self.attachment.as_ref());
    }

    /// Checks that `count` elements or bytes from `start` on are there, of `len`.
    pub(crate) fn expect_range(
        &self,
        what: &'static str,
        start: usize,
        count: usize,
        len: usize,
    ) -> Result<()> {
        if start.checked_add(count).is_some_and(|end| end <= len) {
            return Ok(());
        }
        let index = start.saturating_add(count).saturating_sub(1) as u64;
        Err(Error::OutOfRange { id: self.id().into(), what, index, len: len as u64 })
    }

    pub(crate) fn attachment(&self) -> &Arc<Attachment> {
        &self.attachment
    }

    /// Atomics at an offset of the control part.
    pub(crate) fn shared<T: SharedBytes>(&self, offset: usize) -> Result<Shared<T>> {
        self.attachment.mapping.shared(offset).ok_or_else(|| self.corrupt("its body is too short".into()))
    }

    /// Maps the payload behind the control part.
    pub(crate) fn map_payload(&self, access: Access) -> Result<Arc<Mapping>> {
        let (start, end) = (self.description().control_size as u64, self.description().total_size);
        self.map(|file| Mapping::new(file, start, (end - start) as usize, access))
    }

    /// Maps `len` bytes of the file from `offset` twice in a row, as a ring; both are multiples of a page.
    pub(crate) fn map_ring(&self, offset: u64, len: usize, access: Access) -> Result<Arc<Mapping>> {
        self.map(|file| Mapping::mirrored(file, offset, len, access))
    }

    fn map(&self, map: impl FnOnce(BorrowedFd<'_>) -> Result<Arc<Mapping>, Errno>) -> Result<Arc<Mapping>> {
        let attachment = &self.attachment;
        let mapping = attachment
            .file
            .get()
            .and_then(|file| map(file.as_fd()))
            .map_err(|error| attachment.space.refused(self.id(), "map", error))?;
        attachment.settle(&mapping)?;
        Ok(mapping)
    }

    pub(crate) fn corrupt(&self, what: String) -> Error {
        Error::Corrupt { id: self.id().into(), what }
    }
}

impl Attachment {
    /// This process's claim. After a fork the child takes a slot of its own here, lazily.
    #[inline]
    pub(crate) fn me(&self) -> Result<Claim> {
        if self.identity.forks.load(Acquire) == fork::count()
            && let Some(claim) = Claim::in_word(self.identity.claim.load(Relaxed))
        {
            return Ok(claim);
        }
        self.register()
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn mapping(&self) -> &Arc<Mapping> {
        &self.mapping
    }

    /// Takes the descriptions of the dead off the table.
    pub(crate) fn forget_dead(&self) -> usize {
        self.participants.forget_dead(self.living_claim(), &self.file)
    }

    /// Says in the table that this thread waits, until the result is dropped.
    pub(crate) fn blocked(&self, me: Claim, what: WaitingFor) -> Option<Waiting<'_>> {
        self.participants.waiting(me, what)
    }

    /// What the table says of a claim's holder.
    pub(crate) fn describe(&self, claim: Claim) -> Option<Participant> {
        self.participants.describe(claim, !self.is_dead(claim))
    }

    /// `camera (pid 7)` for error messages.
    pub(crate) fn who(&self, claim: Claim) -> String {
        self.participants.describe(claim, true).unwrap_or_else(|| Participant::gone(claim)).who()
    }

    /// The claim under which this very process is known, if it has one yet.
    fn living_claim(&self) -> Option<Claim> {
        let current = self.identity.forks.load(Acquire) == fork::count();
        current.then(|| Claim::in_word(self.identity.claim.load(Relaxed))).flatten()
    }

    #[cold]
    fn register(&self) -> Result<Claim> {
        fork::excluded(|| match self.living_claim() {
            Some(claim) => Ok(claim),
            None => self.register_alone(),
        })
    }

    /// Takes a slot. Runs while forks, and so all other registrations of this process, are excluded.
    fn register_alone(&self) -> Result<Claim> {
        let refused = |error| self.space.refused(&self.id, "join", error);
        let file = self.file.open_again(&self.path).map_err(refused)?;
        let claim = self.claim_slot(file.as_fd())?;
        let presence = Presence::pin(file).map_err(refused)?;
        *self.identity.presence.lock().unwrap_or_else(PoisonError::into_inner) = Some(presence);
        self.identity.claim.store(claim.bits(), Relaxed);
        self.identity.forks.store(fork::count(), Release);
        Ok(claim)
    }

    fn claim_slot(&self, presence: BorrowedFd<'_>) -> Result<Claim> {
        for look in 0..MAX_CHASES {
            match self.participants.claim(presence) {
                Ok(Some(claim)) => return Ok(claim),
                // A sweeper holds all slots for the moment it takes to find the region alive or to remove it.
                Ok(None) if self.file.get().is_ok_and(|file| presence::is_swept(file.as_fd())) => {
                    file::rest(SWEEP_MOMENT);
                }
                Ok(None) if self.is_unlinked() => {
                    return Err(self.space.refused(&self.id, "join", Errno::NOENT));
                }
                // It may have let go between our two looks.
                Ok(None) if look == 0 => {}
                Ok(None) => break,
                Err(error) => return Err(self.space.refused(&self.id, "join", error)),
            }
        }
        Err(Error::TooManyParticipants { id: self.id.clone(), slots: self.participants.len() })
    }

    /// Keeps a mapping in memory, when the space asks for it.
    fn settle(&self, mapping: &Mapping) -> Result<()> {
        if !self.space.resident {
            return Ok(());
        }
        mapping.make_resident().map_err(|error| Error::System {
            id: self.id.clone(),
            action: "lock in memory (see `ulimit -l`)",
            source: error.into(),
        })
    }
}

impl Peers for Attachment {
    fn wait_u32(&self, word: &AtomicU32, expected: u32, wait: &mut Wait) -> Expired {
        sleep(wait, |slice| futex::wait_u32(word, expected, slice))
    }

    fn wait_u64(&self, word: &AtomicU64, expected: u64, wait: &mut Wait) -> Expired {
        sleep(wait, |slice| futex::wait_u64(word, expected, slice))
    }

    fn wake_u32(&self, word: &AtomicU32, count: u32) {
        futex::wake_u32(word, count);
    }

    fn wake_u64(&self, word: &AtomicU64, count: u32) {
        futex::wake_u64(word, count);
    }

    fn is_dead(&self, claim: Claim) -> bool {
        self.participants.is_dead(claim, self.living_claim(), &self.file)
    }
}

impl Wait {
    /// Waits for `timeout` from now, or for ever.
    pub(crate) fn until(timeout: Option<Duration>) -> Self {
        let deadline = timeout.map(|timeout| {
            os::clock::monotonic().saturating_add(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX))
        });
        Self { deadline, slices: 0 }
    }

    /// How long to sleep now: longer each time, never past the deadline; nothing when that has passed.
    pub(crate) fn next_slice(&mut self) -> Duration {
        let slice = (FIRST_SLICE * (1 << self.slices.min(8))).min(LONGEST_SLICE);
        self.slices += 1;
        match self.deadline {
            None => slice,
            Some(deadline) => {
                slice.min(Duration::from_nanos(deadline.saturating_sub(os::clock::monotonic())))
            }
        }
    }
}

/// One slice of a wait.
fn sleep(wait: &mut Wait, doze: impl FnOnce(Duration)) -> Expired {
    let slice = wait.next_slice();
    if slice.is_zero() {
        return Expired::Yes;
    }
    doze(slice);
    if interruption::is_requested() {
        return Expired::Yes;
    }
    match wait.deadline {
        Some(deadline) if os::clock::monotonic() >= deadline => Expired::Yes,
        _ => Expired::No,
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let Some(claim) = self.living_claim() else { return };
        self.participants.leave(claim);
        let presence = self.identity.presence.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(presence.take());
        if self.description.ephemeral {
            self.remove_if_last();
        }
    }
}

impl Attachment {
    /// The last clean detach of an ephemeral region removes it. Whoever attaches meanwhile finds its link gone.
    fn remove_if_last(&self) {
        let Ok(file) = self.file.open_again(&self.path) else { return };
        let alone = presence::try_claim_all(file.as_fd(), layout::MAX_SLOTS).unwrap_or(false);
        let named = file::open(&self.path, Access::Read);
        if alone && named.is_ok_and(|named| self.file.is(&named)) {
            let _ = file::unlink(&self.path);
            self.space.remove_empty_folders(&self.path);
        }
    }
}

/// All attachments of this process, by inode. Only looked at while forks are excluded, so no child inherits
/// it locked.
static ATTACHMENTS: LazyLock<Mutex<AttachmentsByInode>> = LazyLock::new(Mutex::default);

type AttachmentsByInode = HashMap<(u64, u64), Weak<Attachment>>;

/// Makes a whole region and gives it its name.
fn create(space: &Space, id: &str, path: &std::path::Path, blueprint: &Blueprint) -> Result<OwnedFd> {
    if space.ephemeral {
        space.sweep_now_and_then();
    }
    if blueprint.total_size > MAX_REGION_SIZE {
        return Err(Error::NoSpace {
            id: id.into(),
            size: blueprint.total_size,
            space: space.directory().into(),
        });
    }
    let refused = |error| match error {
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => {
            Error::NoSpace { id: id.into(), size: blueprint.total_size, space: space.directory().into() }
        }
        other => space.refused(id, "create", other),
    };
    let file = Unnamed::create(space.directory(), space.mode).map_err(refused)?;
    write_whole(&file, space, blueprint).map_err(refused)?;
    link(&file, space, path).map_err(refused)?;
    Ok(file.into_file())
}

fn write_whole(file: &Unnamed, space: &Space, blueprint: &Blueprint) -> Result<(), Errno> {
    file.set_mode(space.mode)?;
    file.reserve(blueprint.total_size)?;
    let header: Header = blueprint.header(space.participants, space.ephemeral, &space.note);
    file.write_at(header.as_bytes(), 0)?;
    blueprint.initial.iter().try_for_each(|(offset, bytes)| file.write_at(bytes, *offset as u64))
}

/// Gives the file its name. Folders on the way may vanish under us when somebody removes their last region, and an
/// empty folder left by somebody killed may stand where the name belongs.
fn link(file: &Unnamed, space: &Space, path: &std::path::Path) -> Result<(), Errno> {
    for _ in 0..MAX_CHASES {
        match space.create_folders(path).and_then(|()| file.link(path)) {
            Err(Errno::NOENT) => {}
            Err(Errno::EXIST) if file::status_at(path).is_ok_and(|status| status.is_directory) => {
                file::remove_empty_directory(path).map_err(|_| Errno::ISDIR)?;
            }
            other => return other,
        }
    }
    Err(Errno::NOENT)
}

/// Maps an open region file and takes a slot, or joins the attachment this process has already.
fn attach(space: &Space, id: &str, path: PathBuf, file: OwnedFd) -> Result<Region> {
    let status = file::status(&file).map_err(|error| space.refused(id, "open", error))?;
    if !status.is_file {
        return Err(not_a_region(id));
    }
    let inode = (status.device, status.inode);
    fork::excluded(|| {
        let mut known = ATTACHMENTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(attachment) = known.get(&inode).and_then(Weak::upgrade) {
            return Ok(Region { attachment });
        }
        let attachment = Arc::new(Attachment::new(space, id, path, file, status)?);
        attachment.register_alone()?;
        // Unlinked since it was opened: the name is free or another region's. Start anew.
        if attachment.is_unlinked() {
            return Err(space.refused(id, "open", Errno::NOENT));
        }
        known.retain(|_, attachment| attachment.strong_count() > 0);
        known.insert(inode, Arc::downgrade(&attachment));
        Ok(Region { attachment })
    })
}

impl Attachment {
    fn new(space: &Space, id: &str, path: PathBuf, file: OwnedFd, status: file::Status) -> Result<Self> {
        let corrupt = |what: String| Error::Corrupt { id: id.into(), what };
        let description = read_description(&file, status.size).map_err(corrupt)?;
        let mapping = Mapping::new(&file, 0, description.control_size, Access::ReadWrite)
            .map_err(|error| space.refused(id, "map", error))?;
        let slots = usize::from(description.participants);
        let short = || corrupt("it is too short for its participants".into());
        let attachment = Self {
            participants: Participants::new(
                mapping.shared_slice(layout::PARTICIPANTS_OFFSET, slots).ok_or_else(short)?,
            ),
            version: mapping.shared(VERSION_OFFSET).ok_or_else(short)?,
            lock: mapping.shared(LOCK_OFFSET).ok_or_else(short)?,
            identity: Identity {
                claim: AtomicU32::new(0),
                forks: AtomicU32::new(u32::MAX),
                presence: Mutex::new(None),
            },
            id: id.into(),
            path,
            space: space.clone(),
            description,
            file: RegionFile::new(file, status),
            mapping,
        };
        attachment.settle(&attachment.mapping)?;
        Ok(attachment)
    }

    fn is_unlinked(&self) -> bool {
        self.file.is_unlinked()
    }
}

/// Reads and checks the header of a region file of `size` bytes.
pub(crate) fn read_description(file: impl AsFd, size: u64) -> Result<Description, String> {
    let mut bytes = [0; size_of::<Header>()];
    let count = file::read_at(file, &mut bytes, 0).map_err(|error| format!("it cannot be read: {error}"))?;
    Description::parse(bytes.get(..count).unwrap_or_default(), size)
}

fn not_a_region(id: &str) -> Error {
    Error::Corrupt { id: id.into(), what: "it is not a regular file".into() }
}
