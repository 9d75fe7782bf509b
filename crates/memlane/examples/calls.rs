//! What a publish and a borrow cost in Rust: nanoseconds a frame, the best of several rounds, for an empty frame and
//! for one of 640 x 404 x 3 that is copied in. `cargo xtask c --measure` puts C++ beside it.
#![forbid(unsafe_code)]

use memlane::schema::Primitive;
use memlane::{FramePublisher, FrameSpec, FrameSubscriber, Result, Space};
use std::time::Instant;

fn best(count: u32, mut body: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        for _ in 0..count {
            body()?;
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(count));
    }
    Ok(best)
}

fn main() -> Result<()> {
    let space = Space::default()?;
    let spec = FrameSpec::image(1, 8, 1, Primitive::U8);
    let mut small = FramePublisher::open_or_create(&space, "bench/small", &spec)?;
    let reader = FrameSubscriber::open(&space, "bench/small")?;
    let publish = best(100_000, || {
        small.loan()?.publish();
        Ok(())
    })?;
    println!("publish {publish:.1}");
    println!("borrow {:.1}", best(100_000, || reader.latest().map(drop))?);
    let spec = FrameSpec::image(404, 640, 3, Primitive::U8);
    let mut large = FramePublisher::open_or_create(&space, "bench/large", &spec)?;
    let picture = vec![128; 404 * 640 * 3];
    let copied = best(300, || {
        let mut loan = large.loan()?;
        loan.copy_from_slice(&picture);
        loan.publish();
        Ok(())
    })?;
    println!("picture {copied:.1}");
    Ok(())
}
