//! The camera example with OpenCV, on a video.

use std::path::PathBuf;
use std::process::Command;

use super::{Place, view_in_python};
use crate::failure::Outcome;
use crate::process;
use crate::report;
use crate::workspace::{Workspace, on_path};

/// A second of one colour, lossless, in another size than the example's pictures.
const VIDEO: &str = "color=0x204060:size=320x200:rate=30:duration=1,format=bgr24";
const PICTURES: u32 = 30;
/// The last picture, in OpenCV's order of colours.
const LAST: &str = "bytes([0x60, 0x40, 0x20]) * (404 * 640)";

/// Whether programs that read videos with OpenCV can be compiled.
pub(crate) fn is_there() -> bool {
    headers().is_some()
}

/// OpenCV says where it is by pkg-config, or lies where it is installed by default: Debian's package of this part of it
/// does not bring the file for pkg-config.
fn headers() -> Option<PathBuf> {
    let said = process::answer(Command::new("pkg-config").args(["--cflags-only-I", "opencv4"]));
    let said = said.unwrap_or_default();
    let said = said.split_whitespace().filter_map(|flag| flag.strip_prefix("-I"));
    said.chain(["/usr/include/opencv4", "/usr/local/include/opencv4"])
        .map(PathBuf::from)
        .find(|directory| directory.join("opencv2").join("videoio.hpp").is_file())
}

/// All pictures of a video are published, the last one as it is in the video.
pub(super) fn camera(workspace: &Workspace, place: &Place) -> Outcome {
    let (Some(headers), Some(ffmpeg)) = (headers(), on_path("ffmpeg")) else {
        report::warning(
            "LEFT OUT: the camera example with OpenCV, for want of libopencv-videoio-dev or ffmpeg; \
             get it: cargo xtask setup",
        );
        return Ok(());
    };
    let video = place.programs.join("camera.mkv");
    let mut film = Command::new(ffmpeg);
    film.args(["-v", "error", "-f", "lavfi", "-i", VIDEO, "-c:v", "ffv1", "-y"]).arg(&video);
    process::run(&mut film)?;

    let source = workspace.root.join("bindings").join("c").join("examples").join("camera.cpp");
    let program = place.programs.join("camera-opencv-example");
    let mut compile = place.compile("g++", &["-std=c++17", "-O2", "-DWITH_OPENCV"], &[&source], &program);
    // As headers of the system: our warnings are not theirs.
    compile.arg("-isystem").arg(headers);
    process::run(compile.args(["-lopencv_core", "-lopencv_imgproc", "-lopencv_videoio"]))?;
    // More than there are: the video's end is its end.
    place.run(Command::new(&program).arg((PICTURES * 2).to_string()).arg(&video))?;
    view_in_python(workspace, place, PICTURES, LAST)
}
