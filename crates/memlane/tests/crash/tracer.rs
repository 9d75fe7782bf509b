//! A forked child that goes on by instructions or system calls, and dies where the suite wants it to.
//!
//! The child asks to be traced and runs into a breakpoint in front of its operation ([`operation`]); from
//! there the tracer has it step. Its death is a real `SIGKILL`, and once it is reaped its memory and its
//! locks are gone: the kernel tears a process down before it becomes a zombie.
#![allow(unsafe_code)] // fork, wait and ptrace are in no crate of ours but libc.

use crate::caught::caught;
use libc::{c_int, pid_t};
use std::cell::Cell;
use std::fmt::{self, Display, Formatter};
use std::io::{Error, ErrorKind};
use std::ptr::null_mut;

/// What a system call looks like in machine code.
const SYSTEM_CALL: u64 = 0x050f;
const SYSTEM_CALL_MASK: u64 = 0xffff;

/// What a breakpoint looks like.
const BREAKPOINT: u64 = 0xcc;
const BREAKPOINT_MASK: u64 = 0xff;
const BREAKPOINT_SIZE: u64 = 1;

/// Where ptrace has the register that holds the next instruction's address.
#[cfg(target_arch = "x86_64")]
const ADDRESS_REGISTER: usize = std::mem::offset_of!(libc::user_regs_struct, rip);
#[cfg(not(target_arch = "x86_64"))]
const ADDRESS_REGISTER: usize = 0; // never used: see `check`

/// How a stop in front of or behind a system call differs from a breakpoint's.
const SYSTEM_CALL_STOP: c_int = libc::SIGTRAP | 0x80;

/// Exit statuses of a child that did not come to its end as wanted.
const PANICKED: c_int = 101;
const NOT_TRACED: c_int = 102;

/// A child, stopped. Dropped, it is killed and reaped.
#[derive(Debug)]
pub(crate) struct Traced {
    process: pid_t,
    /// It ended by itself, and its number may be another's by now.
    reaped: Cell<bool>,
}

/// The child was to stop somewhere and is at the end of its operation instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finished;

/// Why no child can be traced here.
#[derive(Debug)]
pub(crate) enum NotTraced {
    Forbidden,
    Machine,
}

impl Display for NotTraced {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Forbidden => {
                "the system lets no process trace its child; allow ptrace (Docker: --cap-add SYS_PTRACE)"
            }
            Self::Machine => "the suite reads x86-64 machine code only",
        })
    }
}

/// Runs `work` between two breakpoints: the part of a child that is stepped through.
#[inline(never)]
pub(crate) fn operation<T>(work: impl FnOnce() -> T) -> T {
    breakpoint();
    let result = work();
    breakpoint();
    result
}

/// Whether children can be traced here.
pub(crate) fn check() -> Result<(), NotTraced> {
    if !cfg!(target_arch = "x86_64") {
        return Err(NotTraced::Machine);
    }
    Traced::fork(|| operation(|| ())).map(drop)
}

impl Traced {
    /// Forks a child that runs `work`, and waits until it has come to its operation.
    pub(crate) fn start<T>(work: impl FnOnce() -> T) -> Self {
        Self::fork(work).unwrap_or_else(|reason| panic!("{reason}"))
    }

    fn fork<T>(work: impl FnOnce() -> T) -> Result<Self, NotTraced> {
        // SAFETY: the child has this thread alone. What the suite's other one, the watchdog, may hold at the
        // moment is its own channel, which the child does not touch, and the allocator, which the C library
        // looks after.
        let process = unsafe { libc::fork() };
        match process {
            0 => run_child(work),
            -1 => panic!("could not fork: {}", Error::last_os_error()),
            _ => Self { process, reaped: Cell::new(false) }.at_first_breakpoint(),
        }
    }

    fn at_first_breakpoint(self) -> Result<Self, NotTraced> {
        let status = self.wait();
        if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == NOT_TRACED {
            self.reaped.set(true);
            return Err(NotTraced::Forbidden);
        }
        let _: Result<(), Finished> = self.progress(status);
        let options = libc::PTRACE_O_EXITKILL | libc::PTRACE_O_TRACESYSGOOD;
        // SAFETY: the child is stopped and ours; the request takes no pointer.
        let set = unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, self.process, 0, options) };
        assert_eq!(set, 0, "could not bind the child's life to ours: {}", Error::last_os_error());
        Ok(self)
    }

    /// Lets the child execute one machine instruction; a system call is one.
    pub(crate) fn step(&mut self) -> Result<(), Finished> {
        // SAFETY: the child is stopped and ours; the request takes no pointer.
        let gone_on = unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, self.process, 0, 0) };
        self.arrive(gone_on)
    }

    /// Lets the child go on to where it enters the kernel or comes back from there, whichever is next.
    pub(crate) fn until_system_call(&mut self) -> Result<(), Finished> {
        // SAFETY: the child is stopped and ours; the request takes no pointer.
        let gone_on = unsafe { libc::ptrace(libc::PTRACE_SYSCALL, self.process, 0, 0) };
        self.arrive(gone_on)
    }

    /// Lets the child go on until it is about to execute the instruction at `address`; again, if it is there.
    pub(crate) fn until_address(&mut self, address: u64) -> Result<(), Finished> {
        self.step()?;
        if self.address() == address {
            return Ok(());
        }
        let code = self.read_code(address);
        self.write_code(address, code & !BREAKPOINT_MASK | BREAKPOINT);
        // SAFETY: the child is stopped and ours; the request takes no pointer.
        let gone_on = unsafe { libc::ptrace(libc::PTRACE_CONT, self.process, 0, 0) };
        // Both the breakpoint just set and the one at the operation's end look like the end.
        let Err(Finished) = self.arrive(gone_on) else { return Ok(()) };
        if self.address() != address + BREAKPOINT_SIZE {
            return Err(Finished);
        }
        self.write_code(address, code);
        self.set_address(address);
        Ok(())
    }

    /// Whether the child's next instruction is a system call.
    pub(crate) fn at_system_call(&self) -> bool {
        self.read_code(self.address()) & SYSTEM_CALL_MASK == SYSTEM_CALL
    }

    /// Where the child's next instruction is.
    pub(crate) fn address(&self) -> u64 {
        // SAFETY: the child is stopped and ours; the request takes a register's place and gives its content
        // back.
        (unsafe { libc::ptrace(libc::PTRACE_PEEKUSER, self.process, ADDRESS_REGISTER, 0) }) as u64
    }

    fn set_address(&self, address: u64) {
        // SAFETY: as above; the address is one that the child was at.
        let set = unsafe { libc::ptrace(libc::PTRACE_POKEUSER, self.process, ADDRESS_REGISTER, address) };
        assert_eq!(set, 0, "could not set the child's registers: {}", Error::last_os_error());
    }

    fn read_code(&self, address: u64) -> u64 {
        // SAFETY: the child is stopped and ours; the kernel checks that the address is the child's.
        (unsafe { libc::ptrace(libc::PTRACE_PEEKTEXT, self.process, address, 0) }) as u64
    }

    fn write_code(&self, address: u64, code: u64) {
        // SAFETY: as above; the child gets a copy of the page, so its parent's code stays as it is.
        let written = unsafe { libc::ptrace(libc::PTRACE_POKETEXT, self.process, address, code) };
        assert_eq!(written, 0, "could not set a breakpoint in the child: {}", Error::last_os_error());
    }

    /// Kills the child and waits until nothing is left of it.
    pub(crate) fn kill(self) {
        drop(self);
    }

    fn arrive(&self, gone_on: libc::c_long) -> Result<(), Finished> {
        assert_eq!(gone_on, 0, "could not let the child go on: {}", Error::last_os_error());
        let status = self.wait();
        self.progress(status)
    }

    fn wait(&self) -> c_int {
        let mut status = 0;
        // SAFETY: `status` is what the call fills.
        while unsafe { libc::waitpid(self.process, &raw mut status, 0) } != self.process {
            let error = Error::last_os_error();
            assert_eq!(error.kind(), ErrorKind::Interrupted, "could not wait for the child: {error}");
        }
        status
    }

    fn progress(&self, status: c_int) -> Result<(), Finished> {
        if libc::WIFSTOPPED(status) {
            match libc::WSTOPSIG(status) {
                libc::SIGTRAP if self.is_at_breakpoint() => return Err(Finished),
                libc::SIGTRAP | SYSTEM_CALL_STOP => return Ok(()),
                signal => panic!("the victim was stopped by signal {signal}"),
            }
        }
        self.reaped.set(true);
        panic!("the victim ended by itself (wait status {status:#x}); its own message is above");
    }

    /// Whether the child stopped at a breakpoint rather than after a step.
    fn is_at_breakpoint(&self) -> bool {
        // SAFETY: all zero is a valid `siginfo_t`: integers and pointers that are not followed.
        let mut about: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: the child is stopped and ours; `about` is what the request fills.
        let read = unsafe { libc::ptrace(libc::PTRACE_GETSIGINFO, self.process, 0, &raw mut about) };
        read == 0 && about.si_code == libc::SI_KERNEL
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if self.reaped.get() {
            return;
        }
        // SAFETY: sends a signal to a child that is not reaped yet, so the number is still its own.
        unsafe { libc::kill(self.process, libc::SIGKILL) };
        // SAFETY: no status is asked for.
        unsafe { libc::waitpid(self.process, null_mut(), 0) };
    }
}

/// The child's part: its own message if it fails, and never a way back into its parent's code.
fn run_child<T>(work: impl FnOnce() -> T) -> ! {
    // SAFETY: the request takes nothing.
    if unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, null_mut::<u8>(), null_mut::<u8>()) } != 0 {
        leave(NOT_TRACED);
    }
    match caught(work) {
        Ok(result) => std::mem::forget(result),
        Err(message) => {
            eprintln!("the victim: {message}");
            leave(PANICKED);
        }
    }
    leave(0)
}

fn leave(status: c_int) -> ! {
    // SAFETY: ends this process at once; nothing of the parent's that was copied into it is flushed or
    // dropped.
    unsafe { libc::_exit(status) }
}

fn breakpoint() {
    // SAFETY: traps to the tracer, which lets the child go on or kills it; without one, the trap is fatal.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        core::arch::asm!("int3");
    }
}
