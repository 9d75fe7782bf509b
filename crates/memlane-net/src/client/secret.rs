//! The proofs of being on one machine, the client's and the host's: by the secret in the host's space, as far as this
//! user may read it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::process::geteuid;

use crate::protocol::hello::{Ends, HostDescription, MAX_SECRET, Prover, SECRET_FOLDER, is_proved, proof};

/// The secret of a host of this machine.
pub(super) struct Secret(Vec<u8>);

impl Secret {
    /// That of `host`, or why there is none.
    pub(super) fn of(host: &HostDescription) -> Result<Self, String> {
        read(Path::new(&host.space), &host.secret).map(Self)
    }

    /// This client's answer to the host's challenge.
    pub(super) fn answer(&self, host: &HostDescription, ends: &Ends) -> String {
        proof(Prover::Client, &self.0, &host.instance, &host.challenge, ends)
    }

    /// Whether the host knows it too.
    pub(super) fn is_known_to(&self, host: &HostDescription, ends: &Ends, answer: &str) -> bool {
        is_proved(Prover::Host, &self.0, &host.instance, &host.challenge, ends, answer)
    }
}

/// Opens exactly the file that a host's secret can be in: whatever a host says, no other file is read.
fn read(space: &Path, name: &str) -> Result<Vec<u8>, String> {
    let port = name.strip_prefix("host-").and_then(|port| port.parse::<u16>().ok());
    if port.is_none_or(|port| crate::protocol::hello::secret_name(port) != name) || !space.is_absolute() {
        return Err("the host's hello names no secret that this client would look for".into());
    }
    let path = space.join(SECRET_FOLDER).join(name);
    let shown = path.display();
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(&path, flags, Mode::empty()).map_err(|error| match error {
        rustix::io::Errno::NOENT => format!("{shown} is not on this machine"),
        error => format!("{shown} cannot be read: {}", std::io::Error::from(error)),
    })?;
    let stat = fstat(&file).map_err(|error| format!("{shown} cannot be looked at: {error}"))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_uid != geteuid().as_raw() {
        return Err(format!("{shown} is not a file of this user"));
    }
    let mut secret = Vec::new();
    let read = File::from(file).take(MAX_SECRET as u64 + 1).read_to_end(&mut secret);
    read.map_err(|error| format!("{shown} cannot be read: {error}"))?;
    match secret.len() {
        1..=MAX_SECRET => Ok(secret),
        length => Err(format!("{shown} holds no secret: expected up to {MAX_SECRET} bytes, found {length}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_a_secret_is_read() {
        let space = tempfile::tempdir().unwrap();
        let folder = space.path().join(SECRET_FOLDER);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("host-1"), "s".repeat(64)).unwrap();
        std::fs::write(folder.join("host-2"), "s".repeat(65)).unwrap();
        std::fs::write(folder.join("host-3"), "").unwrap();
        symlink(folder.join("host-1"), folder.join("host-4")).unwrap();
        std::fs::create_dir(folder.join("host-5")).unwrap();
        assert_eq!(read(space.path(), "host-1").unwrap(), [b's'; 64]);
        let why = |name: &str| read(space.path(), name).unwrap_err();
        assert!(why("host-2").contains("found 65") && why("host-3").contains("found 0"));
        assert!(why("host-4").contains("cannot be read"), "{}", why("host-4"));
        assert!(why("host-5").contains("is not a file of this user"));
        assert!(why("host-6").contains("is not on this machine"));
        for name in ["", "host-", "host-01", "host-70000", "../host-1", "host-1/../host-1", "token"] {
            assert!(why(name).contains("names no secret"), "{name}");
        }
        assert!(read(Path::new("relative"), "host-1").unwrap_err().contains("names no secret"));
    }
}
