//! The program as a user has it: its output, its JSON, its exit codes, and what it leaves alone.

#[path = "../../../memlane-interop/tests/peers/mod.rs"]
mod peers;
#[path = "../../../memlane/tests/role/mod.rs"]
mod role;
#[path = "../../../memlane/tests/scratch/mod.rs"]
mod scratch;
mod terminal;

mod bench;
mod changing;
mod gui;
mod legacy;
mod looking;
mod measuring;
mod passing;
mod processes;
mod refusals;
mod remote;
mod scale;

#[test]
fn role() {
    role::play(processes::perform);
}
