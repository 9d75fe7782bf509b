//! A space: a directory whose files are regions. The directory is the registry; there is no other.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! let space = memlane::Space::at(directory.path())?;
//! let speed = memlane::Value::<f64>::open_or_create(&space, "robot/speed", 0.0)?;
//! assert_eq!(space.list()?, ["robot/speed"]);
//! # Ok(()) }
//! ```

use crate::atomic::{AtomicU64, Ordering::Relaxed};
use crate::error::{Error, Result};
use crate::interruption;
use crate::layout::{MAX_SLOTS, NOTE_CAPACITY};
use crate::os::file::{self, OWN_FOLDER};
use crate::os::mapping::Access;
use crate::os::{self, presence};
use rustix::fd::AsFd;
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Folder of regions that nobody gave a lasting name.
pub(crate) const EPHEMERAL_FOLDER: &str = ".ephemeral";

/// Environment variable that names the default space's directory.
pub const DIRECTORY_VARIABLE: &str = "MEMLANE_DIR";

const MAX_ID_BYTES: usize = 200;
const DEFAULT_PARTICIPANTS: u16 = 64;
/// An ephemeral file younger than this may belong to somebody between creation and attach.
const SWEEP_AGE_SECONDS: i64 = 10;
const SWEEP_PERIOD: Duration = Duration::from_secs(1);
/// How long a wait for a name rests between two looks, at first and at most.
const FIRST_REST: Duration = Duration::from_micros(200);
const LONGEST_REST: Duration = Duration::from_millis(10);

/// A directory of regions, and how new ones are made there. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Space {
    directory: PathBuf,
    pub(crate) participants: u16,
    pub(crate) mode: u32,
    pub(crate) note: String,
    pub(crate) resident: bool,
    pub(crate) ephemeral: bool,
}

impl Space {
    /// The user's own space: `$MEMLANE_DIR`, else `/dev/shm/memlane-<uid>`, else a per-user temporary
    /// directory. It is made when missing, with mode 0700. One that others own or may write is refused.
    #[allow(clippy::should_implement_trait)] // It can fail, which the trait's cannot.
    pub fn default() -> Result<Self> {
        let name = format!("memlane-{}", os::process::user());
        match file::environment(DIRECTORY_VARIABLE) {
            Some(directory) => Self::at(directory),
            None if Path::new("/dev/shm").is_dir() => Self::private(Path::new("/dev/shm").join(name)),
            None => Self::private(file::temporary_directory().join(name)),
        }
    }

    /// The space in `directory`, which is made when missing (its parent must exist).
    pub fn at(directory: impl Into<PathBuf>) -> Result<Self> {
        let directory = directory.into();
        let bad = |reason: String| Error::BadSpace { directory: directory.clone(), reason };
        file::create_directory_if_missing(&directory, 0o700).map_err(|error| bad(in_words(error)))?;
        check_locks(&directory).map_err(bad)?;
        Ok(Self {
            directory,
            participants: DEFAULT_PARTICIPANTS,
            mode: 0o600,
            note: String::new(),
            resident: false,
            ephemeral: false,
        })
    }

    fn private(directory: PathBuf) -> Result<Self> {
        let space = Self::at(directory)?;
        let status = file::status_at(&space.directory);
        let safe = status.is_ok_and(|status| status.owner == os::process::user() && status.mode & 0o022 == 0);
        if safe {
            return Ok(space);
        }
        let reason = format!(
            "it belongs to another user or others may write to it; remove it, or name another by {DIRECTORY_VARIABLE}"
        );
        Err(Error::BadSpace { directory: space.directory, reason })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// New regions have room for this many participants (1 to 4095; 64 unless said).
    #[must_use]
    pub fn participants(mut self, count: u16) -> Self {
        self.participants = count.clamp(1, MAX_SLOTS);
        self
    }

    /// New regions get this file mode (0600 unless said); 0660 opens them to the file's group, 0644 to
    /// observers.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode & 0o777;
        self
    }

    /// New regions carry this note for people, cut to 512 bytes.
    #[must_use]
    pub fn note(mut self, note: &str) -> Self {
        note[..note.floor_char_boundary(NOTE_CAPACITY)].clone_into(&mut self.note);
        self
    }

    /// Regions are brought into memory whole when attached, and stay: nothing is swapped out or faulted in
    /// later. Needs the right to lock that much memory (`ulimit -l`).
    #[must_use]
    pub fn resident(mut self) -> Self {
        self.resident = true;
        self
    }

    /// Regions that live only as long as somebody is attached: the last clean detach removes them, and what a
    /// killed process leaves is swept when another is made.
    #[must_use]
    pub fn ephemeral(mut self) -> Self {
        self.ephemeral = true;
        self
    }

    /// The ids of all regions, sorted. Names beginning with a dot are not regions.
    pub fn list(&self) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let entries = match file::entries(&self.root().join(&folder)) {
                Ok(entries) => entries,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(self.bad(error)),
            };
            for entry in entries.into_iter().filter(|entry| !entry.name.starts_with('.')) {
                let id = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
                if entry.is_directory { folders.push(id) } else { ids.push(id) }
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Whether a region has this id now.
    pub fn contains(&self, id: &str) -> Result<bool> {
        let path = self.path_of(id)?;
        Ok(file::status_at(&path).is_ok_and(|status| status.is_file))
    }

    /// Waits until a region has this id: for tools that start before their producer.
    pub fn wait_for(&self, id: &str, timeout: Option<Duration>) -> Result<()> {
        let start = Instant::now();
        let mut rest = FIRST_REST;
        while !self.contains(id)? {
            let is_over = timeout.is_some_and(|timeout| start.elapsed() >= timeout);
            if is_over || interruption::is_requested() {
                return Err(Error::Timeout { id: id.into(), what: "the creation", waited: start.elapsed() });
            }
            file::rest(timeout.map_or(rest, |timeout| rest.min(timeout.saturating_sub(start.elapsed()))));
            rest = LONGEST_REST.min(rest * 2);
        }
        Ok(())
    }

    /// Removes the name. Whoever is attached keeps the memory and goes on; folders left empty go too.
    pub fn remove(&self, id: &str) -> Result<()> {
        let path = self.path_of(id)?;
        match file::unlink(&path) {
            Ok(()) => {
                self.remove_empty_folders(&path);
                Ok(())
            }
            Err(error) => Err(self.refused(id, "remove", error)),
        }
    }

    /// The file of a region, after checking the id.
    pub(crate) fn path_of(&self, id: &str) -> Result<PathBuf> {
        check_id(id).map_err(|reason| Error::BadId { id: id.into(), reason })?;
        Ok(self.root().join(id))
    }

    /// Where this handle's regions are: the directory itself, or its folder of ephemeral ones.
    pub(crate) fn root(&self) -> PathBuf {
        if self.ephemeral { self.directory.join(EPHEMERAL_FOLDER) } else { self.directory.clone() }
    }

    /// Makes the folders above `path`. [`Errno::NOENT`] when one vanished meanwhile: worth another look.
    pub(crate) fn create_folders(&self, path: &Path) -> Result<(), Errno> {
        let above: Vec<_> = self.folders_above(path).collect();
        above.into_iter().rev().try_for_each(|folder| self.create_folder(folder))
    }

    /// Makes a folder, which nobody sees before it has its rights: one that others may use gets them beside its
    /// place, as the umask might keep some back.
    fn create_folder(&self, folder: &Path) -> Result<(), Errno> {
        let mode = folder_mode(self.mode);
        if mode == 0o700 {
            return file::create_directory_if_missing(folder, mode);
        }
        if file::status_at(folder).is_ok_and(|status| status.is_directory) {
            return Ok(());
        }
        let unseen = self.directory.join(file::temporary_name());
        file::create_directory_if_missing(&unseen, mode)?;
        let moved = file::rename(&unseen, folder);
        if moved.is_err() {
            let _ = file::remove_empty_directory(&unseen);
        }
        match moved {
            // Somebody else was quicker, and it is in use.
            Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(()),
            other => other,
        }
    }

    /// Innermost first; with the ephemeral regions' own folder.
    fn folders_above<'a>(&self, path: &'a Path) -> impl Iterator<Item = &'a Path> {
        path.ancestors().skip(1).take_while(|folder| *folder != self.directory)
    }

    /// Takes away the folders above `path` as far as they are empty.
    pub(crate) fn remove_empty_folders(&self, path: &Path) {
        let root = self.root();
        let below = |folder: &&Path| *folder != root && folder.starts_with(&root);
        for folder in path.ancestors().skip(1).take_while(below) {
            if file::remove_empty_directory(folder).is_err() {
                break;
            }
        }
    }

    /// Removes ephemeral regions whose participants are all dead. Called when one is made, at most once a
    /// second.
    pub(crate) fn sweep_now_and_then(&self) {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let (now, last) = (os::clock::monotonic_coarse(), LAST.load(Relaxed));
        let due = last == 0 || now.saturating_sub(last) >= SWEEP_PERIOD.as_nanos() as u64;
        if due && LAST.compare_exchange(last, now, Relaxed, Relaxed).is_ok() {
            self.sweep();
        }
    }

    /// Removes abandoned ephemeral regions and what has a temporary name; gives back how many.
    pub(crate) fn sweep(&self) -> usize {
        let ephemeral = self.clone().ephemeral();
        let files = self.abandoned_files(|path| {
            let removed = file::unlink(path).is_ok();
            ephemeral.remove_empty_folders(path);
            removed
        });
        files + self.abandoned_folders().filter(|folder| file::remove_empty_directory(folder).is_ok()).count()
    }

    /// How many abandoned ephemeral regions, temporary files and folders there are.
    pub(crate) fn count_leftovers(&self) -> usize {
        self.abandoned_files(|_| true) + self.abandoned_folders().count()
    }

    /// Visits ephemeral regions and temporary files that nobody lives in and that are old enough not to be on
    /// their way; counts the visits that succeed.
    fn abandoned_files(&self, visit: impl Fn(&Path) -> bool) -> usize {
        let ephemeral = self.clone().ephemeral();
        let regions = ephemeral.list().unwrap_or_default().into_iter().map(|id| ephemeral.root().join(id));
        let temporary = temporary_entries(self.directory.join(OWN_FOLDER), false);
        regions.chain(temporary).filter(|path| if_abandoned(path, &visit)).count()
    }

    /// Folders that never got to their place, and are too old to be on their way there.
    fn abandoned_folders(&self) -> impl Iterator<Item = PathBuf> {
        let is_old = |folder: &PathBuf| {
            file::status_at(folder).is_ok_and(|status| status.age_seconds >= SWEEP_AGE_SECONDS)
        };
        temporary_entries(self.directory.clone(), true).filter(is_old)
    }

    /// An error of the system, in words of this module.
    pub(crate) fn refused(&self, id: &str, action: &'static str, error: Errno) -> Error {
        let (id, space) = (id.to_owned(), self.directory.clone());
        match error {
            Errno::NOENT => Error::NotFound { id, space },
            Errno::ACCESS | Errno::PERM | Errno::ROFS => Error::PermissionDenied { id, action, space },
            Errno::EXIST => Error::AlreadyExists { id, space },
            Errno::NOTDIR => {
                Error::NameConflict { other: self.region_above(&id), what: "is a region", id, space }
            }
            Errno::ISDIR => Error::NameConflict { other: format!("{id}/…"), what: "exists", id, space },
            other => Error::System { id, action, source: other.into() },
        }
    }

    /// The part of an id where a folder would have to be and is none.
    fn region_above(&self, id: &str) -> String {
        let is_folder =
            |above: &&str| file::status_at(&self.root().join(above)).is_ok_and(|status| status.is_directory);
        let mut above = id.match_indices('/').filter_map(|(end, _)| id.get(..end));
        above.find(|above| !is_folder(above)).unwrap_or(id).to_owned()
    }

    fn bad(&self, error: Errno) -> Error {
        Error::BadSpace { directory: self.directory.clone(), reason: in_words(error) }
    }
}

/// Whether a text may be the id of a region; else the rule it breaks.
pub(crate) fn check_id(id: &str) -> Result<(), &'static str> {
    if id.len() > MAX_ID_BYTES {
        return Err("it is too long");
    }
    if id.chars().any(char::is_control) {
        return Err("it has control characters");
    }
    for component in id.split('/') {
        match component {
            "" => return Err("it has an empty part"),
            "." | ".." => return Err("`.` and `..` lead out of the space"),
            hidden if hidden.starts_with('.') => return Err("parts that begin with a dot are memlane's own"),
            _ => {}
        }
    }
    Ok(())
}

/// What has a temporary name in a directory: the folders, or the files.
fn temporary_entries(directory: PathBuf, folders: bool) -> impl Iterator<Item = PathBuf> {
    let entries = file::entries(&directory).unwrap_or_default().into_iter();
    entries
        .filter(move |entry| entry.is_directory == folders && entry.name.starts_with(file::TEMPORARY_PREFIX))
        .map(move |entry| directory.join(entry.name))
}

/// Visits one file while all its presence bytes are held: whoever attaches meanwhile waits, and then finds
/// the link gone.
fn if_abandoned(path: &Path, visit: impl Fn(&Path) -> bool) -> bool {
    let Ok(open) = file::open(path, Access::ReadWrite) else { return false };
    let is_old =
        |status: file::Status| status.is_file && status.links > 0 && status.age_seconds >= SWEEP_AGE_SECONDS;
    file::status(&open).is_ok_and(is_old)
        && presence::try_claim_all(open.as_fd(), MAX_SLOTS).unwrap_or(false)
        // A clean detach may have removed it before we held it, and the name may be another's by now.
        && file::status_at(path).is_ok_and(|named| file::status(&open).is_ok_and(|held| held.inode == named.inode))
        && visit(path)
}

/// Tries the presence lock on the file system of `directory`, once a process for each directory.
fn check_locks(directory: &Path) -> Result<(), String> {
    if known_good(|good| good.iter().any(|known| known == directory)) {
        return Ok(());
    }
    // Whoever may only read the directory is an observer and takes no locks.
    let Ok(scratch) = file::Unnamed::create(directory, 0o600) else { return Ok(()) };
    let works = scratch.reopen().is_ok_and(|second| presence::works_on(scratch.file(), second));
    if !works {
        return Err(
            "its file system does not keep open-file-description locks; use tmpfs, ext4, xfs or btrfs".into(),
        );
    }
    known_good(|good| good.push(directory.to_owned()));
    Ok(())
}

/// The directories that passed. Only looked at while forks are excluded, so no child inherits the list
/// locked.
fn known_good<T>(look: impl FnOnce(&mut Vec<PathBuf>) -> T) -> T {
    static GOOD: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    os::fork::excluded(|| look(&mut GOOD.lock().unwrap_or_else(std::sync::PoisonError::into_inner)))
}

/// A folder may be entered by whoever may read its regions.
fn folder_mode(mode: u32) -> u32 {
    let readable = mode & 0o444;
    0o700 | mode | readable >> 2
}

fn in_words(error: Errno) -> String {
    let advice = match error {
        Errno::NOENT => "its parent directory does not exist; make that first",
        Errno::NOTDIR => "it is not a directory; name another",
        Errno::ACCESS | Errno::PERM => "this user has no permission; ask its owner, or name another",
        Errno::NOSPC => "its file system is full",
        _ => "the system refused",
    };
    format!("{advice} ({})", std::io::Error::from(error))
}
