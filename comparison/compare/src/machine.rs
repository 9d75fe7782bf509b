//! The machine that it was measured on, as far as it says.

use std::fs;
use std::process::Command;

use crate::sides::cores;

/// What a reader of the figures should know.
pub(crate) struct Machine {
    /// What, and how it is here.
    pub(crate) lines: Vec<(&'static str, String)>,
}

impl Machine {
    /// As it is now.
    pub(crate) fn describe() -> Self {
        let cores = cores();
        let all = std::thread::available_parallelism().map_or(0, usize::from);
        let pinned = match cores[..] {
            [only] => format!("core {only}, the only one: the figures of two processes mean nothing"),
            _ => format!(
                "cores {} of {all}",
                cores.iter().map(usize::to_string).collect::<Vec<_>>().join(" and ")
            ),
        };
        let uname = rustix::system::uname();
        let kernel = format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy());
        let lines = [
            ("processor", field("/proc/cpuinfo", "model name")),
            ("pinned to", Some(pinned)),
            ("memory", field("/proc/meminfo", "MemTotal")),
            ("kernel", Some(kernel)),
            (
                "virtual",
                is_virtual().then(|| "yes: the host can take a core away in the midst of a round".into()),
            ),
            ("governor", governor(cores[0])),
            ("huge pages of shared memory", setting("/sys/kernel/mm/transparent_hugepage/shmem_enabled")),
            ("load at the start", first_word("/proc/loadavg")),
            ("rustc", rustc()),
        ];
        let known = lines.into_iter().map(|(what, is)| (what, is.unwrap_or_else(|| "unknown".into())));
        Self { lines: known.collect() }
    }
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start_matches(|character: char| character == ':' || character.is_whitespace()).to_owned())
}

fn first_word(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.split_whitespace().next()?.to_owned())
}

fn governor(core: usize) -> Option<String> {
    first_word(&format!("/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"))
}

/// The word in brackets of those that there are.
fn setting(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.split_once('[')?.1.split_once(']')?.0.to_owned())
}

fn is_virtual() -> bool {
    field("/proc/cpuinfo", "flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"))
}

fn rustc() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
