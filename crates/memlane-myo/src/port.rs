//! Which serial port the dongle is at.

use crate::error::{Error, Result};
use crate::transport::Serial;
use std::fs;
use std::path::{Path, PathBuf};

/// Where Linux lists serial ports, each with a link to its device.
const TERMINALS: &str = "/sys/class/tty";
/// The BLED112's.
const VENDOR: &str = "2458";
const PRODUCT: &str = "0001";
/// A port's device is an interface of the USB device, which has the ids.
const LEVELS: usize = 3;

/// Where to look for the dongle, each time anew: it may come back at another port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Port {
    /// This serial port.
    Path(PathBuf),
    /// The first dongle by its USB id, 2458:0001.
    Dongle,
}

impl Port {
    /// Opens it.
    pub fn open(&self) -> Result<Serial> {
        match self {
            Self::Path(path) => Serial::open(path),
            Self::Dongle => Serial::open(&find(Path::new(TERMINALS))?),
        }
    }
}

/// The port of the first dongle that is listed in a directory laid out like [`TERMINALS`].
fn find(directory: &Path) -> Result<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(directory).into_iter().flatten().flatten().collect();
    names.sort_by_key(fs::DirEntry::file_name);
    let dongle = names.iter().find(|name| is_dongle(&name.path().join("device")));
    let name = dongle.ok_or_else(|| Error::NoDongle { directory: directory.to_owned() })?.file_name();
    Ok(Path::new("/dev").join(name))
}

fn is_dongle(device: &Path) -> bool {
    let Ok(device) = fs::canonicalize(device) else { return false };
    device.ancestors().take(LEVELS).any(|level| {
        let id = |file: &str| fs::read_to_string(level.join(file)).unwrap_or_default();
        id("idVendor").trim() == VENDOR && id("idProduct").trim() == PRODUCT
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_dongle_is_found_by_its_usb_id() {
        let directory = tempfile::tempdir().unwrap();
        let terminals = directory.path().join("tty");
        let add = |name: &str, vendor: &str, product: &str| {
            let usb = directory.path().join(name);
            let interface = usb.join("1-1:1.0");
            fs::create_dir_all(&interface).unwrap();
            fs::write(usb.join("idVendor"), format!("{vendor}\n")).unwrap();
            fs::write(usb.join("idProduct"), format!("{product}\n")).unwrap();
            fs::create_dir_all(terminals.join(name)).unwrap();
            symlink(interface, terminals.join(name).join("device")).unwrap();
        };
        fs::create_dir_all(terminals.join("tty0")).unwrap();
        add("ttyACM0", "2341", "0001");
        add("ttyACM1", "2458", "0002");
        assert!(matches!(find(&terminals), Err(Error::NoDongle { .. })));
        add("ttyACM2", "2458", "0001");
        assert_eq!(find(&terminals).unwrap(), Path::new("/dev/ttyACM2"));
    }
}
