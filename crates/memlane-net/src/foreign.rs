//! Shared memory of other programs: the POSIX segments of this machine, to be looked at and never changed.
//!
//! A segment is a file of `/dev/shm`; folders there, spaces among them, are none. Its document has `name`, `size`,
//! `owner`, `mode` (octal digits), `modified`, `readable` (by this user).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, open};
use serde_json::{Value, json};

use crate::view::{human, user};

/// Where the system keeps them.
const FOLDER: &str = "/dev/shm";
/// The most bytes that are read at once.
pub const MOST: u64 = 64 * 1024;

/// All segments of this machine, by name.
pub fn list() -> io::Result<Vec<Value>> {
    let mut found: Vec<_> = fs::read_dir(FOLDER)?.flatten().map(|entry| entry.path()).collect();
    found.sort_unstable();
    Ok(found.iter().filter_map(|path| document(path)).collect())
}

fn document(path: &Path) -> Option<Value> {
    let status = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    let modified = status.mtime() as u64 * 1_000_000_000 + status.mtime_nsec() as u64;
    let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
    Some(json!({
        "name": path.file_name()?.to_str()?,
        "size": status.len(),
        "owner": user::owner_of(path),
        "mode": human::mode(status.mode()),
        "modified": human::rfc3339(modified),
        "readable": accessat(CWD, path, Access::READ_OK, flags).is_ok(),
    }))
}

/// Up to `count` bytes, and up to [`MOST`], of segment `name` from `start` on: fewer at its end, none beyond.
pub fn read(name: &str, start: u64, count: u64) -> io::Result<Vec<u8>> {
    if name.contains('/') || matches!(name, "" | "." | "..") {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{name}` is no segment's name")));
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(open(Path::new(FOLDER).join(name), flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{name}` is no segment")));
    }
    let mut bytes = vec![0; count.min(MOST) as usize];
    // Copied by the system, so that a segment that shrinks meanwhile harms nobody.
    let length = file.read_at(&mut bytes, start)?;
    bytes.truncate(length);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_segment_is_listed_and_read() {
        let mut segment = tempfile::Builder::new().prefix("memlane-foreign-").tempfile_in(FOLDER).unwrap();
        segment.write_all(b"0123456789").unwrap();
        let name = segment.path().file_name().unwrap().to_str().unwrap();
        let listed = list().unwrap();
        let row = listed.iter().find(|row| row["name"] == name).unwrap();
        assert_eq!(
            (&row["size"], &row["mode"], &row["readable"]),
            (&json!(10), &json!("0600"), &json!(true))
        );
        assert_eq!(read(name, 0, 4).unwrap(), b"0123");
        assert_eq!(read(name, 8, u64::MAX).unwrap(), b"89");
        assert_eq!(read(name, 10, 1).unwrap(), b"");
    }

    #[test]
    fn nothing_else_is_read() {
        let folder = tempfile::Builder::new().prefix("memlane-foreign-").tempdir_in(FOLDER).unwrap();
        let name = folder.path().file_name().unwrap().to_str().unwrap();
        fs::write(folder.path().join("tokens"), "secret").unwrap();
        let link = folder.path().with_extension("link");
        std::os::unix::fs::symlink(folder.path().join("tokens"), &link).unwrap();
        let linked = link.file_name().unwrap().to_str().unwrap();
        let inside = format!("{name}/tokens");
        for name in
            [name, linked, &inside, "", ".", "..", "../../etc/passwd", "/etc/passwd", "no such segment"]
        {
            assert!(read(name, 0, 100).is_err(), "{name}");
        }
        assert!(!list().unwrap().iter().any(|row| row["name"] == name || row["name"] == linked));
        fs::remove_file(link).unwrap();
    }
}
