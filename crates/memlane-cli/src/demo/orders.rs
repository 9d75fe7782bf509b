//! Orders: a child's ear, and its mouth.

use super::message::{Order, Report};
use crate::failure::Outcome;
use std::io::{self, Write};
use std::process;
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// Listens to the standard input. When it ends, the demo has ended or was killed, and this process ends with
/// it, whatever it is doing: nothing in shared memory minds.
pub(super) fn listen() -> Receiver<Order> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if let Ok(order) = line.parse() {
                // Who does not listen any more is about to end.
                let _ = sender.send(order);
            }
        }
        process::exit(0);
    });
    receiver
}

/// Tells the demo something.
pub(super) fn report(report: Report) -> Outcome {
    let mut output = io::stdout().lock();
    writeln!(output, "{report}")?;
    Ok(output.flush()?)
}
