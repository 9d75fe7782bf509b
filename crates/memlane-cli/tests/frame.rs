//! `memlane frame`: pictures and video through real processes, compared pixel by pixel and frame by frame.

#[path = "../../memlane/tests/left_out/mod.rs"]
mod left_out;
#[path = "../../memlane/tests/scratch/mod.rs"]
mod scratch;
#[allow(dead_code)] // Every suite uses a part.
#[path = "cli/terminal.rs"]
mod terminal;

use image::{DynamicImage, Rgb, RgbImage};
use memlane::{FramePublisher, FrameSpec, FrameSubscriber, Observer, Space};
use serde_json::Value;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use terminal::{Ran, Terminal};

const WIDTH: u32 = 64;
const HEIGHT: u32 = 48;
const FRAME_BYTES: usize = (WIDTH * HEIGHT * 3) as usize;
/// Every process under test ends by itself; this is for the ones that fail to.
const PATIENCE: Duration = Duration::from_secs(30);

/// A picture in which no two rows, columns or channels are alike; another one for every `seed`.
fn picture(seed: u8) -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| Rgb([x as u8 ^ seed, (3 * y) as u8, (x + y) as u8 | seed]))
}

/// Frame `number` of a video that has only differing frames.
fn video_frame(number: usize) -> Vec<u8> {
    (0..FRAME_BYTES).map(|index| (index / 7 + 31 * number) as u8).collect()
}

/// A folder for picture files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Saves a picture; gives back where.
    fn save(&self, name: &str, picture: &RgbImage) -> PathBuf {
        let path = self.file(name);
        picture.save(&path).expect("the picture can be written");
        path
    }
}

impl Terminal {
    fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running(command.spawn().expect("the program can be started"))
    }

    /// Waits until so many processes subscribe to a channel.
    fn wait_for_subscribers(&self, id: &str, wanted: usize) {
        self.space.wait_for(id, Some(PATIENCE)).expect("the channel is made");
        let observer = Observer::open(&self.space, id).expect("it can be observed");
        let start = Instant::now();
        loop {
            let state = observer.frames().expect("it is a frame channel");
            let slots: HashSet<_> = state.subscribers.iter().map(|subscriber| subscriber.slot).collect();
            if slots.len() == wanted {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{} subscribers instead of {wanted}", slots.len());
            std::thread::yield_now();
        }
    }
}

/// A process of the test, which does not outlive it.
struct Running(Child);

impl Running {
    fn feed(&mut self, bytes: &[u8]) {
        let input = self.0.stdin.as_mut().expect("its input is piped");
        input.write_all(bytes).expect("it reads its input");
    }

    fn finish(mut self) -> Ran {
        drop(self.0.stdin.take());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        if let Some(pipe) = &mut self.0.stdout {
            pipe.read_to_end(&mut stdout).expect("its output can be read");
        }
        if let Some(pipe) = &mut self.0.stderr {
            pipe.read_to_end(&mut stderr).expect("its messages can be read");
        }
        let status = self.0.wait().expect("it is a child");
        Ran::from(Output { status, stdout, stderr })
    }

    fn finish_json(self) -> Value {
        let output = self.finish().worked();
        serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary directories have plain names")
}

fn load(path: &Path) -> DynamicImage {
    image::open(path).expect("a picture that can be read")
}

#[test]
fn a_picture_arrives_pixel_by_pixel_in_every_encoding() {
    let (terminal, folder) = (Terminal::new(), Folder::new());
    let source = folder.save("source.png", &picture(5));
    let original = load(&source);
    for encoding in ["bgr8", "rgb8", "bgra8", "rgba8", "mono8", "mono16"] {
        let saved = folder.file(&format!("{encoding}.png"));
        terminal.output(&["frame", "publish", encoding, text(&source), "--encoding", encoding]);
        terminal.output(&[
            "frame",
            "view",
            encoding,
            "--history",
            "1",
            "--save",
            text(&saved),
            "--timeout",
            "10s",
        ]);
        let found = load(&saved);
        match encoding {
            "mono8" => assert_eq!(found, original.to_luma8().into(), "{encoding}"),
            "mono16" => assert_eq!(found, original.to_luma16().into(), "{encoding}"),
            _ => assert_eq!(found.to_rgb8(), original.to_rgb8(), "{encoding}"),
        }
    }
}

#[test]
fn colours_are_blue_green_red_for_whoever_uses_opencv() {
    let (terminal, folder) = (Terminal::new(), Folder::new());
    let source = folder.save("source.png", &RgbImage::from_pixel(WIDTH, HEIGHT, Rgb([1, 2, 3])));
    terminal.output(&["frame", "publish", "camera", text(&source)]);
    let subscriber = FrameSubscriber::open(&terminal.space, "camera").unwrap();
    assert_eq!(subscriber.schema().encoding(), Some("bgr8"));
    assert_eq!(subscriber.schema().shape(), [HEIGHT as usize, WIDTH as usize, 3]);
    let frame = subscriber.latest().unwrap().expect("the frame outlives its publisher");
    assert_eq!(frame[..6], [3, 2, 1, 3, 2, 1]);
}

#[test]
fn a_folder_is_published_in_the_order_of_names() {
    let terminal = Terminal::new();
    let folder = Folder::new();
    for (name, seed) in [("b.png", 2), ("a.PNG", 1), ("c.jpg", 3)] {
        folder.save(name, &picture(seed));
    }
    std::fs::write(folder.file("notes.txt"), "no picture").unwrap();
    terminal.output(&[
        "frame",
        "publish",
        "album",
        text(folder.path()),
        "--encoding",
        "rgb8",
        "--loop",
        "--count",
        "4",
    ]);
    let subscriber = FrameSubscriber::open_with(&terminal.space, "album", 4).unwrap();
    let frames = subscriber.last(4).unwrap();
    let last = load(&folder.file("c.jpg")).to_rgb8();
    let expected = [picture(1), picture(2), last, picture(1)].map(RgbImage::into_raw);
    for (frame, expected) in frames.iter().zip(&expected) {
        assert!(frame[..] == expected[..], "frame {} is another picture", frame.sequence());
    }
    assert_eq!(frames.len(), expected.len());
}

#[test]
fn pictures_of_another_size_are_refused_or_scaled() {
    let terminal = Terminal::new();
    let folder = Folder::new();
    folder.save("a.png", &picture(1));
    folder.save("b.png", &RgbImage::from_pixel(10, 10, Rgb([9, 9, 9])));
    let refused = terminal.run(&["frame", "publish", "album", text(folder.path())]);
    refused.failed(5, &["b.png", "10×10", "64×48", "--width"]);
    terminal.output(&["frame", "publish", "small", text(folder.path()), "--width", "4", "--height", "2"]);
    let subscriber = FrameSubscriber::open(&terminal.space, "small").unwrap();
    assert_eq!(subscriber.latest().unwrap().expect("two were published")[..], [9; 4 * 2 * 3]);
}

#[test]
fn raw_video_reaches_two_viewers_whole() {
    let terminal = Terminal::new();
    let mut publisher = terminal.start(&[
        "--json",
        "frame",
        "publish",
        "video",
        "-",
        "--width",
        "64",
        "--height",
        "48",
        "--rate",
        "60",
        "--history",
        "32",
        "--stamp",
    ]);
    terminal.space.wait_for("video", Some(PATIENCE)).unwrap();
    let viewers = [(), ()].map(|()| {
        terminal.start(&["--json", "frame", "view", "video", "--count", "30", "--verify", "--timeout", "20s"])
    });
    terminal.wait_for_subscribers("video", 2);
    let start = Instant::now();
    for number in 0..30 {
        publisher.feed(&video_frame(number));
    }
    for viewer in viewers {
        let seen = viewer.finish_json();
        let facts = ["frames", "missed", "torn", "first", "last"].map(|name| seen[name].as_u64());
        assert_eq!(facts, [30, 0, 0, 1, 30].map(Some), "{seen}");
        assert!(seen["latency_us"]["p50"].as_f64().is_some_and(|latency| latency > 0.0), "{seen}");
    }
    assert!(
        start.elapsed() >= Duration::from_secs(29) / 60,
        "30 frames at 60 Hz came in {:?}",
        start.elapsed()
    );
    let published = publisher.finish_json();
    assert_eq!((published["frames"].as_u64(), published["last"].as_u64()), (Some(30), Some(30)));
}

#[test]
fn raw_video_is_what_was_written_to_the_last_byte() {
    let terminal = Terminal::new();
    let video: Vec<u8> = (0..3).flat_map(video_frame).collect();
    let arguments = ["frame", "publish", "video", "-", "--width", "64", "--height", "48"];
    terminal.run_with_input(&arguments, &video).worked();
    let subscriber = FrameSubscriber::open_with(&terminal.space, "video", 3).unwrap();
    let frames = subscriber.last(3).unwrap();
    assert!(frames.iter().flat_map(|frame| frame.iter()).eq(&video));
}

#[test]
fn a_video_that_ends_within_a_frame_is_an_error_that_keeps_the_frames_before() {
    let terminal = Terminal::new();
    let mut video: Vec<u8> = (0..3).flat_map(video_frame).collect();
    video.truncate(2 * FRAME_BYTES + 100);
    let arguments = ["frame", "publish", "video", "-", "--width", "64", "--height", "48"];
    let ran = terminal.run_with_input(&arguments, &video);
    assert!(ran.output.starts_with("2 frames"), "{ran:?}");
    ran.failed(1, &["100 bytes into frame 3", "9216", "64×48"]);
    let subscriber = FrameSubscriber::open(&terminal.space, "video").unwrap();
    let newest = subscriber.latest().unwrap().expect("two are there");
    assert_eq!((newest.sequence(), &newest[..]), (2, &video_frame(1)[..]));
}

#[test]
fn raw_video_of_unknown_size_is_refused() {
    let terminal = Terminal::new();
    terminal.run(&["frame", "publish", "video", "-"]).failed(2, &["--width and --height"]);
    let arguments = ["frame", "publish", "video", "-", "--width", "64", "--height", "48", "--loop"];
    terminal.run(&arguments).failed(2, &["--loop"]);
    assert_eq!(terminal.space.list().unwrap(), [""; 0]);
}

/// Publishes one frame of these bytes.
fn publish_bytes(space: &Space, id: &str, bytes: &[u8]) {
    let mut publisher = FramePublisher::open_or_create(space, id, &FrameSpec::bytes(bytes.len())).unwrap();
    let mut loan = publisher.loan().unwrap();
    loan.copy_from_slice(bytes);
    loan.publish();
}

#[test]
fn a_viewer_that_verifies_finds_a_torn_frame() {
    let (terminal, folder) = (Terminal::new(), Folder::new());
    let source = folder.save("source.png", &picture(5));
    terminal.output(&["frame", "publish", "good", text(&source), "--stamp"]);
    let mut frame =
        FrameSubscriber::open(&terminal.space, "good").unwrap().latest().unwrap().unwrap().to_vec();
    let view = |id| terminal.run(&["frame", "view", id, "--history", "1", "--count", "1", "--verify"]);
    assert!(view("good").worked().contains("torn 0"));
    frame[FRAME_BYTES - 1] ^= 1;
    publish_bytes(&terminal.space, "torn", &frame);
    let torn = view("torn");
    assert!(torn.output.contains("torn 1"), "{torn:?}");
    torn.failed(1, &["1 frame", "torn"]);
    publish_bytes(&terminal.space, "plain", &[0; 100]);
    view("plain").failed(5, &["no stamp", "--stamp"]);
}

#[test]
fn an_encoded_frame_is_saved_as_it_is_or_decoded() {
    let (terminal, folder) = (Terminal::new(), Folder::new());
    let jpeg = folder.save("source.jpg", &picture(7));
    let bytes = std::fs::read(&jpeg).unwrap();
    let spec = FrameSpec::bytes(bytes.len()).encoding("jpeg");
    let mut publisher = FramePublisher::open_or_create(&terminal.space, "camera", &spec).unwrap();
    let mut loan = publisher.loan().unwrap();
    loan.copy_from_slice(&bytes);
    loan.publish();
    let [same, decoded] = ["same.jpg", "decoded.png"].map(|name| folder.file(name));
    for path in [&same, &decoded] {
        terminal.output(&["frame", "view", "camera", "--history", "1", "--save", text(path)]);
    }
    assert_eq!(std::fs::read(&same).unwrap(), bytes);
    assert_eq!(load(&decoded).to_rgb8(), load(&jpeg).to_rgb8());
}

#[test]
fn a_viewer_goes_on_when_its_publisher_is_killed_and_says_so_once() {
    let terminal = Terminal::new();
    let publish = ["frame", "publish", "video", "-", "--width", "64", "--height", "48"];
    let mut first = terminal.start(&publish);
    terminal.space.wait_for("video", Some(PATIENCE)).unwrap();
    let mut viewer =
        terminal.start(&["--json", "frame", "view", "video", "--count", "4", "--timeout", "20s"]);
    terminal.wait_for_subscribers("video", 1);
    first.feed(&[video_frame(0), video_frame(1), vec![0; 100]].concat());
    let observer = Observer::open(&terminal.space, "video").unwrap();
    let start = Instant::now();
    while observer.frames().unwrap().newest < 2 {
        assert!(start.elapsed() < PATIENCE, "the frames are published");
        std::thread::yield_now();
    }
    drop(first); // with SIGKILL
    let mut messages = BufReader::new(viewer.0.stderr.take().unwrap()).lines();
    let message = messages.next().expect("the viewer says something").unwrap();
    assert!(message.contains("publisher") && message.contains("died"), "{message}");
    terminal.run_with_input(&publish, &[video_frame(2), video_frame(3)].concat()).worked();
    assert_eq!(messages.map(Result::unwrap).collect::<Vec<_>>(), [""; 0]);
    let seen = viewer.finish_json();
    let facts = ["frames", "missed", "first", "last", "publishers_died"].map(|name| seen[name].as_u64());
    assert_eq!(facts, [4, 0, 1, 4, 1].map(Some), "{seen}");
}

#[test]
fn waiting_ends_when_it_was_told_to() {
    let terminal = Terminal::new();
    let ran = terminal.run(&["frame", "view", "nobody", "--timeout", "100ms"]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.messages.contains("waiting for region `nobody`"), "{ran:?}");
    publish_bytes(&terminal.space, "silent", &[0; 100]);
    terminal.run(&["frame", "view", "silent", "--timeout", "100ms"]).failed(6, &["nobody publishes"]);
    terminal
        .run(&["frame", "recv", "--mmap", &unique_name(), "--timeout", "100ms"])
        .failed(6, &["no segment"]);
}

#[test]
fn pictures_are_drawn_in_terminals_only() {
    let terminal = Terminal::new();
    terminal.run(&["frame", "view", "camera", "--picture"]).failed(2, &["terminal", "--save"]);
}

/// A name in /dev/shm that no other test has.
fn unique_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("memlane-cli-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}

/// A mapped picture file, removed with the test.
struct Segment(String);

impl Drop for Segment {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(Path::new("/dev/shm").join(&self.0));
    }
}

#[test]
fn a_picture_crosses_a_mapped_file() {
    let (terminal, folder) = (Terminal::new(), Folder::new());
    let source = folder.save("source.png", &picture(5));
    let saved = folder.file("saved.png");
    for publish in ["in-place", "rename"] {
        let segment = Segment(unique_name());
        terminal.output(&["frame", "send", "--mmap", &segment.0, text(&source), "--publish", publish]);
        terminal.output(&["frame", "recv", "--mmap", &segment.0, "--save", text(&saved), "--timeout", "10s"]);
        assert_eq!(load(&saved).to_rgb8(), picture(5), "{publish}");
    }
}

#[test]
fn a_channel_crosses_a_mapped_file_into_another() {
    let terminal = Terminal::new();
    let segment = Segment(unique_name());
    let publish = ["frame", "publish", "here", "-", "--width", "64", "--height", "48"];
    let mut publisher = terminal.start(&publish);
    terminal.space.wait_for("here", Some(PATIENCE)).unwrap();
    let sender =
        terminal.start(&["--json", "frame", "send", "--mmap", &segment.0, "--from", "here", "--count", "1"]);
    let receiver = terminal.start(&[
        "--json",
        "frame",
        "recv",
        "--mmap",
        &segment.0,
        "--to",
        "there",
        "--count",
        "1",
        "--timeout",
        "20s",
    ]);
    terminal.wait_for_subscribers("here", 1);
    publisher.feed(&video_frame(0));
    assert_eq!(sender.finish_json()["frames"].as_u64(), Some(1));
    let received = receiver.finish_json();
    assert_eq!(received["frames"].as_u64(), Some(1), "{received}");
    let subscriber = FrameSubscriber::open(&terminal.space, "there").unwrap();
    let frame = subscriber.latest().unwrap().expect("one arrived");
    assert!(frame[..] == video_frame(0)[..]);
    assert_eq!(subscriber.schema().encoding(), Some("bgr8"));
    assert!(frame.age() < PATIENCE, "its time of capture came along: {:?}", frame.age());
    drop(publisher);
}

#[test]
fn a_source_and_a_channel_at_once_are_refused() {
    let terminal = Terminal::new();
    let name = unique_name();
    assert_eq!(terminal.run(&["frame", "send", "--mmap", &name]).code, Some(2));
    assert_eq!(terminal.run(&["frame", "send", "--mmap", &name, "--from", "a", "b.png"]).code, Some(2));
    assert_eq!(terminal.run(&["frame", "send", "--mmap", "a/b", "c.png"]).code, Some(2));
}

#[test]
fn a_video_of_ffmpeg_reaches_two_viewers_whole() {
    let installed = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        return left_out::leave_out(
            "frames from ffmpeg",
            "which is not installed; get it with `cargo xtask setup`",
        );
    }
    let terminal = Terminal::new();
    let mut publisher = terminal.start(&[
        "--json",
        "frame",
        "publish",
        "video",
        "-",
        "--width",
        "640",
        "--height",
        "404",
        "--rate",
        "60",
        "--stamp",
        "--history",
        "32",
    ]);
    terminal.space.wait_for("video", Some(PATIENCE)).unwrap();
    let viewers = [(), ()].map(|()| {
        terminal.start(&["--json", "frame", "view", "video", "--count", "30", "--verify", "--timeout", "20s"])
    });
    terminal.wait_for_subscribers("video", 2);
    let video = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x404:rate=60", "-frames:v", "30"])
        .args(["-f", "rawvideo", "-pix_fmt", "bgr24", "-"])
        .stdout(publisher.0.stdin.take().expect("piped"))
        .status();
    assert!(video.expect("it has just answered").success());
    for viewer in viewers {
        let seen = viewer.finish_json();
        assert_eq!(
            ["frames", "missed", "torn"].map(|name| seen[name].as_u64()),
            [30, 0, 0].map(Some),
            "{seen}"
        );
    }
    assert_eq!(publisher.finish_json()["frames"].as_u64(), Some(30));
}
