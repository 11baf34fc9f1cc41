//! Any bytes: reading never panics. `cargo +nightly fuzz run read fuzz/corpus/read tests/fixtures/feeds`; with a stable
//! toolchain `RUSTC_BOOTSTRAP=1 cargo fuzz run -s none read ...`.
//!
//! `read` turns a panic into an error, so the error is what is looked for.
#![no_main]

use burdenwatch::news::entry::{Context, Unreadable};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let base = url::Url::parse("https://news.example.org/feed.xml").ok();
    let context = Context { base: base.as_ref(), ..Context::default() };
    if let Err(Unreadable::NotAFeed(note)) = burdenwatch::news::parse::read(bytes, &context) {
        assert!(!note.contains("please report"), "{note}");
    }
});
