//! `memlane gui`: a host with a page, and a browser that is shown it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::terminal::Terminal;

/// A running `memlane gui`, and the address that it printed.
struct Gui {
    child: Child,
    url: String,
}

impl Gui {
    fn start(terminal: &Terminal, browser: &str, arguments: &[&str]) -> Self {
        let mut command = terminal.command(&[&["gui"], arguments].concat());
        command.env("BROWSER", browser).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.env_remove("MEMLANE_TOKEN").env_remove("MEMLANE_TOKEN_FILE");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim_end().to_owned() }
    }

    /// Of the address, what stands before the token.
    fn address(&self) -> &str {
        let rest = self.url.strip_prefix("http://127.0.0.1:").unwrap_or_else(|| panic!("{}", self.url));
        let (port, token) = rest.split_once("/#token=").unwrap();
        assert!(token.len() >= 32, "{token}");
        &self.url["http://".len()..][.."127.0.0.1:".len() + port.len()]
    }

    fn page(&self) -> String {
        self.get("/")
    }

    fn get(&self, path: &str) -> String {
        let mut socket = TcpStream::connect(self.address()).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut page = String::new();
        socket.read_to_string(&mut page).unwrap();
        page
    }

    /// As by Ctrl-C.
    fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn the_page_is_served_and_shown() {
    let terminal = Terminal::new();
    let shown = tempfile::tempdir().unwrap();
    let (browser, seen) = (shown.path().join("browser"), shown.path().join("seen"));
    let script = format!("#!/bin/sh\nprintf %s \"$1\" >{0}.new\nmv {0}.new {0}\n", seen.display());
    fs::write(&browser, script).unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o700)).unwrap();

    let gui = Gui::start(&terminal, browser.to_str().unwrap(), &["--listen", "127.0.0.1:0"]);
    let page = gui.page();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<title>memlane</title>"), "{page}");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !seen.exists() {
        assert!(Instant::now() < deadline, "no browser was started");
        std::thread::sleep(Duration::from_millis(10));
    }
    // What everybody can see on its command line lets one in, once.
    let shown = fs::read_to_string(&seen).unwrap();
    let ticket =
        shown.strip_prefix(&format!("http://{}", gui.address())).unwrap_or_else(|| panic!("{shown}"));
    let led = gui.get(ticket);
    let (_, token) = gui.url.split_once("/#").unwrap();
    assert!(led.starts_with("HTTP/1.1 303") && led.contains(&format!("location: /#{token}\r\n")), "{led}");
    let again = gui.get(ticket);
    assert!(again.starts_with("HTTP/1.1 410") && !again.contains(token), "{again}");
    gui.end();
}

#[test]
fn a_host_that_runs_is_used() {
    let terminal = Terminal::new();
    let gui = Gui::start(&terminal, "/nowhere", &["--no-browser", "--listen", "127.0.0.1:0"]);
    let again = terminal.run(&["gui", "--no-browser"]);
    assert_eq!((again.code, again.output.trim_end()), (Some(0), gui.url.as_str()), "{again:?}");
    gui.end();
}

#[test]
fn a_taken_port_is_no_obstacle() {
    let (here, there) = (Terminal::new(), Terminal::new());
    let both = [&here, &there].map(|terminal| Gui::start(terminal, "/nowhere", &["--no-browser"]));
    assert_ne!(both[0].address(), both[1].address());
    for gui in both {
        assert!(gui.page().starts_with("HTTP/1.1 200"));
        gui.end();
    }
}
