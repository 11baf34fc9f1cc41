//! Bodies in content codings, as servers name and make them.

use std::io::Write;

use burdenwatch::fetch::FailureKind;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::get;
use crate::http::{Server, answer};

const FEED: &[u8] =
    b"<rss><channel><item><title>one</title></item><item><title>two</title></item></channel></rss>";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(path: &str) -> (&'static str, Vec<u8>) {
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
    raw.write_all(FEED).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(FEED).unwrap();
    match path {
        "/members" => ("gzip", [gzip(&FEED[..30]), gzip(&FEED[30..])].concat()),
        "/x" => ("x-gzip", gzip(FEED)),
        "/upper" => ("GZIP", gzip(FEED)),
        "/identity" => ("gzip, identity", gzip(FEED)),
        "/twice" => ("gzip, gzip", gzip(&gzip(FEED))),
        "/raw" => ("deflate", raw.finish().unwrap()),
        "/zlib" => ("deflate", zlib.finish().unwrap()),
        "/zstd" => ("zstd", zstd::encode_all(FEED, 3).unwrap()),
        "/charset" => ("utf-8", FEED.to_vec()),
        "/lie" => ("gzip", FEED.to_vec()),
        _ => ("compress", b"\x1f\x9d\x90<rss>".to_vec()),
    }
}

async fn server() -> Server {
    Server::start(|hit| {
        let (coding, body) = packed(&hit.path);
        answer("200 OK", &[("Content-Encoding", coding), ("ETag", "\"1\"")], body)
    })
    .await
}

#[tokio::test]
async fn a_body_is_read_to_its_end_whatever_it_is_packed_in() {
    let server = server().await;
    let paths =
        ["/members", "/x", "/upper", "/identity", "/twice", "/raw", "/zlib", "/zstd", "/charset", "/lie"];
    for path in paths {
        let response = get(&server.url(path)).await.unwrap_or_else(|failure| panic!("{path}: {failure}"));
        assert_eq!(response.body, FEED, "{path}");
    }
    assert_eq!(server.hits()[0].header("accept-encoding"), Some("zstd,gzip,deflate,br"));
}

#[tokio::test]
async fn a_coding_that_is_not_known_is_a_failure_that_names_it() {
    let server = server().await;
    let failure = get(&server.url("/unknown")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Body);
    let why = "the server names a coding that is not known: \"compress\"";
    assert!(failure.what.ends_with(why), "{}", failure.what);
}
