//! A peer for the driver's own tests: a program that does to it what peers do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::peers::{Peers, Way};

/// Each way is a manner of being; `$2` says which.
const PROGRAM: &str = r#"#!/bin/sh
work='"works": ["round trip", "attach", "sender or receiver dies", "holder dies"], "keeps": "all"'
way() { echo "{\"way\": \"$1\", $work, \"in_place\": false}"; }
said='"said": {"arrived": 3, "missed": 0, "torn": 0, "latency": null, "bytes": null, "outcome": "is_told"}'
answer() { echo "{\"begin\": 1000000000, \"end\": 1100000000, \"cpu\": 7, $said}"; }
if [ "$1" = list ]; then
    ways=$(way answers)
    for one in hangs dies raises 'never opens' leaves mute; do ways="$ways, $(way "$one")"; done
    echo "{\"peer\": \"script\", \"version\": \"1\", \"ways\": [$ways]}"
    exit
fi
[ "$2" = 'never opens' ] && exec sleep 60
if [ "$2" = leaves ]; then
    sleep 60 &
    echo $! >"$MEMLANE_DIR/started"
fi
echo ready
while read -r order; do
    case "$2" in
    hangs) exec sleep 60 ;;
    dies) kill -9 $$ ;;
    raises) echo 'script: out of luck' >&2; exit 1 ;;
    mute) exit 0 ;;
    esac
    # The first side of a death is at work until it is killed.
    case "$3 $4" in 'holder dies 0') echo held >&2; exec sleep 60 ;; 'sender or receiver dies 0') exec sleep 60 ;; esac
    answer
done
"#;

/// The program, as the driver is given it.
pub(crate) struct Script {
    _directory: TempDir,
    peers: Peers,
}

impl Script {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program: PathBuf = directory.path().join("peer-script");
        // Written by a process of its own: a program cannot be run while one that another test forks has it open.
        let draft = directory.path().join("draft");
        fs::write(&draft, PROGRAM).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(
            std::process::Command::new("cp")
                .args(["-p"])
                .arg(&draft)
                .arg(&program)
                .status()
                .unwrap()
                .success()
        );
        let peers = Peers::ask(&[program], &[]);
        Self { _directory: directory, peers }
    }

    /// The one whose name this is.
    pub(crate) fn way(&self, name: &str) -> Way<'_> {
        self.peers.ways().find(|way| way.offer.way == name).unwrap()
    }
}
