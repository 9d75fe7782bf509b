//! Secrets in files that only their owner can read, in the space's own folder.
//!
//! | file | what | lives |
//! |---|---|---|
//! | `host-PORT` | proves to the host that a client is on the same machine and of the same user | as long as this run of the host |
//! | `tokens-PORT` | the two tokens | over restarts |
//! | `certificate.pem` | the self-made certificate and its key | over restarts |
//!
//! A file is taken only as it was left: a regular file of this user, mode 0600, no symbolic link. Where somebody else
//! may write to the folder, he can at most take a file away; what he puts there instead is not his to give.

use rustix::fs::OFlags;
use rustix::process::geteuid;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use super::HostError;
use crate::protocol::hello;
use crate::view::document::hexadecimal;

/// Bytes of a file of ours, at most: a certificate is the longest.
const MOST: u64 = 16 * 1024;
const MODE: u32 = 0o600;

/// So many random bytes in hexadecimal digits.
pub(super) fn random(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(hexadecimal(&random))
}

/// The private files of one host.
#[derive(Debug, Clone)]
pub(super) struct Vault {
    folder: PathBuf,
}

impl Vault {
    /// In the space's own folder, which is made when missing.
    pub(super) fn of(space: &Path) -> Result<Self, HostError> {
        let folder = space.join(hello::SECRET_FOLDER);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(HostError::File(folder, error)),
            _ => Ok(Self { folder }),
        }
    }

    /// What `name` holds, if it is there and nobody else can have written or read it.
    pub(super) fn read(&self, name: &str) -> Option<String> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let path = self.folder.join(name);
        let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path).ok()?;
        if !is_private(&file) {
            return None;
        }
        let mut text = String::new();
        file.take(MOST).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// Puts `text` into `name`, whatever was there.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), HostError> {
        let path = self.folder.join(name);
        write_private(&path, text).map_err(|error| HostError::File(path, error))
    }

    /// Takes `name` away if it holds `text`: another host may have put its own there since.
    pub(super) fn remove(&self, name: &str, text: &str) {
        if self.read(name).as_deref() == Some(text) {
            let _ = fs::remove_file(self.folder.join(name));
        }
    }
}

/// Whether it is a regular file that its owner alone may read and write, and this user is its owner.
pub(super) fn is_private(file: &File) -> bool {
    let private = |status: fs::Metadata| {
        status.is_file() && status.uid() == geteuid().as_raw() && status.mode() & 0o777 == MODE
    };
    file.metadata().is_ok_and(private)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let flags = OFlags::NOFOLLOW.bits() as i32;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(MODE).custom_flags(flags).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn only_what_was_left_is_taken() {
        let space = tempfile::tempdir().unwrap();
        let vault = Vault::of(space.path()).unwrap();
        let path = space.path().join(".memlane/host-1");
        assert_eq!(vault.read("host-1"), None);
        vault.write("host-1", "one").unwrap();
        assert_eq!(vault.read("host-1").as_deref(), Some("one"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        vault.remove("host-1", "two");
        assert_eq!(vault.read("host-1").as_deref(), Some("one"), "it is another host's");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(vault.read("host-1"), None, "the group may have read it");
        vault.write("host-1", "two").unwrap();
        assert_eq!(vault.read("host-1").as_deref(), Some("two"));
    }

    #[test]
    fn links_are_neither_followed_nor_written_through() {
        let space = tempfile::tempdir().unwrap();
        let vault = Vault::of(space.path()).unwrap();
        let elsewhere = space.path().join("elsewhere");
        fs::write(&elsewhere, "precious").unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&elsewhere, space.path().join(".memlane/host-1")).unwrap();
        assert_eq!(vault.read("host-1"), None);
        vault.write("host-1", "secret").unwrap();
        assert_eq!(fs::read_to_string(elsewhere).unwrap(), "precious");
        assert_eq!(vault.read("host-1").as_deref(), Some("secret"));
    }
}
