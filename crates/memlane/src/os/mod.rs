//! The only system calls of the crate.
//!
//! One folder per platform, the same names in each. Linux is the one that exists; the notes on macOS and
//! Windows are in `docs/crash-safety.md`.

#[cfg(not(all(target_endian = "little", target_pointer_width = "64")))]
compile_error!("memlane's layout is for 64-bit little-endian machines only");

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;

#[cfg(not(target_os = "linux"))]
compile_error!(
    "memlane runs on Linux 5.10 or newer; other systems have their place in os/ but are not written yet"
);
