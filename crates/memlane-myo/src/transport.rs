//! Bytes to and from a dongle.

use crate::error::{Error, Result};
use serial2::SerialPort;
use std::io;
use std::path::Path;
use std::time::Duration;

/// The rate that a BLED112 is said to have; as a USB device it does not care.
const BAUD_RATE: u32 = 115_200;
/// A dongle takes a command at once or is gone; a stop waits for no more than this.
const WRITE_PATIENCE: Duration = Duration::from_millis(30);

/// A stream of bytes in both directions.
pub trait Transport {
    /// Waits up to that long for bytes and takes those that are there: how many, 0 when time was up.
    /// [`Error::Unplugged`] when none will come any more.
    fn receive(&mut self, bytes: &mut [u8], timeout: Duration) -> Result<usize>;

    /// Sends all of the bytes.
    fn send(&mut self, bytes: &[u8]) -> Result<()>;
}

/// A serial port: a dongle's, or a pseudo-terminal.
#[derive(Debug)]
pub struct Serial {
    port: SerialPort,
}

impl Serial {
    /// Opens the port for raw bytes. What had arrived before is thrown away.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |source| Error::Port { path: path.to_owned(), source };
        let mut port = SerialPort::open(path, BAUD_RATE).map_err(failed)?;
        port.set_write_timeout(WRITE_PATIENCE).map_err(failed)?;
        // Wires that a pseudo-terminal does not have, and that a BLED112 ignores.
        let _ = port.set_dtr(true).and_then(|()| port.set_rts(true));
        port.discard_buffers().map_err(failed)?;
        Ok(Self { port })
    }
}

impl Transport for Serial {
    fn receive(&mut self, bytes: &mut [u8], timeout: Duration) -> Result<usize> {
        // The port waits for whole milliseconds; rounded down, the last of them would be spent awake.
        let milliseconds = timeout.as_nanos().div_ceil(1_000_000) as u64;
        self.port.set_read_timeout(Duration::from_millis(milliseconds)).map_err(unplugged)?;
        match self.port.read(bytes) {
            Ok(0) => Err(unplugged(io::ErrorKind::UnexpectedEof.into())),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(0),
            read => read.map_err(unplugged),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.port.write_all(bytes).map_err(unplugged)
    }
}

/// Whatever a port fails with once it was open, the dongle has to be looked for again.
fn unplugged(source: io::Error) -> Error {
    Error::Unplugged { source }
}
