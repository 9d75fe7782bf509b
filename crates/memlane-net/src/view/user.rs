//! Users by name, as `/etc/passwd` has them: whose file, whose process.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The owner of a file.
pub fn owner_of(path: &Path) -> Option<String> {
    let status = std::fs::symlink_metadata(path).ok()?;
    Some(name_of(status.uid()))
}

/// The user that a process of this PID namespace runs as.
pub fn of_process(pid: u32) -> Option<String> {
    owner_of(&Path::new("/proc").join(pid.to_string()))
}

/// The user's name; the number when there is none.
fn name_of(user: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let number = user.to_string();
    let known = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    known.unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_names_or_numbers() {
        assert_eq!(name_of(0), "root");
        assert_eq!(name_of(4_000_000_001), "4000000001");
        assert_eq!(of_process(1), owner_of(Path::new("/proc/1")));
    }
}
