//! The cast of the page's tests: processes that hold locks, change many values, and film. They say what they have done
//! on the standard output, a line each, and end with the standard input.
//!
//! ```text
//! actor hold ID…         takes these locks, and then each whose id it is told on the standard input: `held ID`
//! actor values COUNT     makes so many values, and changes a hundred of them four times a second: `made COUNT`
//! actor film ID RATE     publishes pictures of 640 × 404 × 3: `published COUNT NANOSECONDS`, every second, the mean of
//!                        what publishing one took, with nothing drawn
//! ```
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{self, BufRead};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use memlane::schema::Primitive;
use memlane::{FramePublisher, FrameSpec, Lock, Space, Value};

type Outcome = Result<(), Box<dyn Error>>;

const CHANGED_AT_ONCE: usize = 100;
const BETWEEN_CHANGES: Duration = Duration::from_millis(250);

fn main() -> Outcome {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let space = Space::default()?;
    match words.as_slice() {
        ["hold", ids @ ..] => hold(&space, ids),
        ["values", count] => values(&space, count.parse()?),
        ["film", id, rate] => film(&space, id, rate.parse()?),
        _ => Err("expected `hold ID…`, `values COUNT` or `film ID RATE`".into()),
    }
}

fn hold(space: &Space, ids: &[&str]) -> Outcome {
    let told = io::stdin().lock().lines().map_while(Result::ok);
    for id in ids.iter().map(|id| (*id).to_owned()).chain(told) {
        let lock = Box::leak(Box::new(Lock::open_or_create(space, &id)?));
        // Held until the process ends, in whatever way.
        std::mem::forget(lock.lock()?);
        println!("held {id}");
    }
    Ok(())
}

fn values(space: &Space, count: usize) -> Outcome {
    end_with_standard_input();
    let value =
        |index| Value::<u64>::open_or_create(space, &format!("many/{:02}/{index:05}", index / 1000), 0);
    for index in 0..count {
        value(index)?;
    }
    println!("made {count}");
    for first in (0..count).step_by(CHANGED_AT_ONCE).cycle() {
        thread::sleep(BETWEEN_CHANGES);
        for index in first..count.min(first + CHANGED_AT_ONCE) {
            value(index)?.update(|value| value + 1);
        }
    }
    Ok(())
}

fn film(space: &Space, id: &str, rate: f64) -> Outcome {
    end_with_standard_input();
    let spec = FrameSpec::image(404, 640, 3, Primitive::U8).encoding("rgb8").history(4);
    let mut camera = FramePublisher::open_or_create(space, id, &spec)?;
    let picture = vec![128; 404 * 640 * 3];
    let (mut due, mut spent, mut count) = (Instant::now(), Duration::ZERO, 0_u32);
    loop {
        due += Duration::from_secs_f64(1.0 / rate);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let start = Instant::now();
        let mut loan = camera.loan()?;
        loan.copy_from_slice(&picture);
        // So that each picture differs from the last.
        let sequence = loan.sequence();
        loan[..8].copy_from_slice(&sequence.to_le_bytes());
        loan.publish();
        (spent, count) = (spent + start.elapsed(), count + 1);
        if f64::from(count) >= rate {
            println!("published {count} {}", spent.as_nanos() / u128::from(count));
            (spent, count) = (Duration::ZERO, 0);
        }
    }
}

fn end_with_standard_input() {
    thread::spawn(|| {
        io::stdin().lock().lines().for_each(drop);
        process::exit(0);
    });
}
