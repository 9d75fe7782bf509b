//! The client of `peers/client.py`, driven line by line.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A process with one client.
#[derive(Debug)]
pub struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What the host said when it let the client in.
    pub welcome: Value,
}

impl Python {
    /// Connects; without a token it has to prove that it is local.
    pub fn new(address: SocketAddr, token: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/drive.py");
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        let mut command = Command::new("python3");
        let command = command.arg("-B").arg(script).args([&ip, &port, token]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("Python 3, which these tests need");
        let (input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let mut python = Self { child, input, output: BufReader::new(output), welcome: Value::Null };
        python.welcome = python.line()["header"].take();
        python
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a pipe");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// The answer to a request: `header` and `hex`.
    pub fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.input, "{request}").expect("a pipe");
        self.line()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
