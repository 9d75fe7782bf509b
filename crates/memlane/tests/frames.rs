//! Frame channels between handles of one process and of several.

use memlane::{FramePublisher, FrameSpec, FrameSubscriber, Lock, Result, Space, Text, Value};

#[test]
fn first_frame_is_seen() -> Result<()> {
    let directory = tempfile::tempdir().expect("a directory");
    let space = Space::at(directory.path())?;
    let spec = FrameSpec::bytes(1000);
    let mut publisher = FramePublisher::open_or_create(&space, "a/b", &spec)?;
    let subscriber = FrameSubscriber::open(&space, "a/b")?;
    for round in 1..=100_u8 {
        let mut loan = publisher.loan()?;
        loan.fill(round);
        loan.set_len(10)?;
        loan.publish();
        let frame = subscriber.next(None)?;
        assert_eq!((frame.sequence(), &frame[..]), (u64::from(round), &[round; 10][..]));
    }
    let value = Value::<i32>::open_or_create(&space, "v", 3)?;
    assert_eq!(value.add(4), 7);
    let text = Text::open_or_create(&space, "t", 100)?;
    text.write("hello")?;
    assert_eq!(text.read()?, ("hello".to_owned(), 1));
    let lock = Lock::open_or_create(&space, "l")?;
    let guard = lock.lock()?;
    assert!(lock.try_lock()?.is_none());
    println!("{:?}", lock.state());
    drop(guard);
    assert_eq!(lock.state().holder, None);
    Ok(())
}
