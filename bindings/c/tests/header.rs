//! `include/memlane.h` is what cbindgen makes of the source.
//!
//! After a change of the interface, `MEMLANE_WRITE_HEADER=1 cargo test -p memlane-c --test header` writes it anew.
#![forbid(unsafe_code)]

use std::path::Path;

#[test]
fn the_committed_header_is_that_of_the_source() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config =
        cbindgen::Config::from_file(package.join("cbindgen.toml")).expect("cbindgen.toml can be read");
    let bindings = cbindgen::generate_with_config(package, config).expect("the source can be parsed");
    let mut header = Vec::new();
    bindings.write(&mut header);
    let header = String::from_utf8(header).expect("a header is text");
    let path = package.join("include").join("memlane.h");
    if std::env::var_os("MEMLANE_WRITE_HEADER").is_some() {
        std::fs::write(&path, &header).expect("the header can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == header,
        "{} is stale; write it anew: MEMLANE_WRITE_HEADER=1 cargo test -p memlane-c --test header",
        path.display()
    );
}
