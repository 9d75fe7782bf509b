//! A streamer for a sensor that sends a line of text for each sample, such as `1250 -5 17 980`: milliseconds since it
//! was switched on, and its acceleration along three axes in thousandths of a g.
//!
//! `line_sensor PORT ID` shares them as the stream ID until its standard input ends.

use memlane::schema::Schema;
use memlane::{Space, StreamPublisher, StreamSpec};
use memlane_myo::{Error, Port, Serial, Stop, Streamer, Transport, streamer};
use std::time::Duration;

/// A record, as Python's `struct` module says it: seconds and three small integers.
const FORMAT: &str = "<d3h";
const LONGEST_LINE: usize = 80;

struct LineSensor {
    port: Port,
    serial: Option<Serial>,
    samples: StreamPublisher,
}

impl Streamer for LineSensor {
    type Error = Error;

    fn connect(&mut self, _: &Stop) -> Result<(), Error> {
        self.serial = Some(self.port.open()?);
        Ok(())
    }

    fn stream(&mut self, stop: &Stop) -> Result<(), Error> {
        let Some(serial) = &mut self.serial else { return Ok(()) };
        let (mut bytes, mut text) = ([0; 1024], Vec::new());
        while !stop.is_requested() {
            let count = serial.receive(&mut bytes, Duration::from_millis(10))?;
            text.extend_from_slice(&bytes[..count]);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                if let Some(record) = record_of(&line) {
                    self.samples.append(&record)?;
                }
            }
            if text.len() > LONGEST_LINE {
                text.clear(); // No line, whatever it is.
            }
        }
        Ok(())
    }

    fn disconnect(&mut self) {
        self.serial = None;
    }

    fn failed(&mut self, error: Error, pause: Duration) -> Result<(), Error> {
        eprintln!("{error}; trying again in {pause:?}");
        if matches!(error, Error::Region(_)) { Err(error) } else { Ok(()) }
    }
}

/// The bytes of the record that a line says; `None` if it says none, as the first one after the port was opened.
fn record_of(line: &[u8]) -> Option<Vec<u8>> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let milliseconds: f64 = words.next()?.parse().ok()?;
    let mut record = (milliseconds / 1e3).to_le_bytes().to_vec();
    for _ in 0..3 {
        record.extend_from_slice(&words.next()?.parse::<i16>().ok()?.to_le_bytes());
    }
    words.next().is_none().then_some(record)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(port), Some(id)) = (arguments.next(), arguments.next()) else {
        return Err("expected a port and the id of a stream".into());
    };
    let spec = StreamSpec::of(Schema::from_struct_format(FORMAT)?).capacity(4096);
    let samples = StreamPublisher::open_or_create(&Space::default()?, &id, &spec)?;
    let mut sensor = LineSensor { port: Port::Path(port.into()), serial: None, samples };
    let stop = Stop::default();
    let asked = stop.clone();
    std::thread::spawn(move || {
        // Whoever started this closes its input, or is gone.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        asked.request();
    });
    Ok(streamer::run(&mut sensor, &stop)?)
}
