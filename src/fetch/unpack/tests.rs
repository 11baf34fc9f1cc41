use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use reqwest::header::HeaderValue;

use super::*;

const FEED: &[u8] = b"<rss><channel><item><title>NATO burden</title></item></channel></rss>";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn raw(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Unpacks a body that comes in pieces of `step` bytes.
fn stepwise(codings: &str, body: &[u8], step: usize, most: u64) -> Result<Vec<u8>, Unpackable> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_str(codings).unwrap());
    let mut unpacker = Unpacker::new(&headers, most, 0);
    for piece in body.chunks(step) {
        unpacker.take(piece)?;
    }
    unpacker.finish()
}

/// Unpacks a body in pieces of all sizes, which must make no difference.
fn unpacked(codings: &str, body: &[u8]) -> Result<Vec<u8>, Unpackable> {
    let whole = stepwise(codings, body, body.len().max(1), 1 << 20);
    for step in 1..body.len().min(64) {
        assert_eq!(stepwise(codings, body, step, 1 << 20), whole, "{codings} in pieces of {step}");
    }
    whole
}

#[test]
fn every_way_servers_pack_a_body() {
    let members = [gzip(&FEED[..40]), gzip(b""), gzip(&FEED[40..])].concat();
    let padded = [gzip(FEED), vec![0; 50]].concat();
    let trailed = [gzip(FEED), b"JUNK".to_vec()].concat();
    let mut named = gzip(FEED);
    named[3] = 4 | 8 | 16 | 2;
    named.splice(10..10, *b"\x03\0abcfeed.xml\0a comment\0\x12\x34");
    let whole = gzip(FEED);
    let table: [(&str, &[u8]); 22] = [
        ("gzip", &whole),
        ("GZIP", &whole),
        ("x-gzip", &whole),
        (" Gzip , identity", &whole),
        ("gzip", &members),
        ("gzip", &padded),
        ("gzip", &trailed),
        ("gzip", &named),
        ("gzip", &whole[..whole.len() - 4]),
        ("deflate", &zlib(FEED)),
        ("Deflate", &raw(FEED)),
        ("deflate", &[zlib(FEED), b"\r\n".to_vec()].concat()),
        ("gzip, gzip", &gzip(&whole)),
        ("deflate, gzip", &gzip(&zlib(FEED))),
        ("identity", FEED),
        ("", FEED),
        ("none", FEED),
        ("UTF-8", FEED),
        // Said to be packed, and not.
        ("gzip", FEED),
        ("gzip", &[b"\r\n ", FEED].concat()),
        ("gzip", &[b"\xef\xbb\xbf", FEED].concat()),
        ("feed", FEED),
    ];
    for (codings, body) in table {
        let got = unpacked(codings, body).unwrap_or_else(|why| panic!("{codings}: {why}"));
        assert!(got.ends_with(FEED), "{codings}: {}", String::from_utf8_lossy(&got));
    }
    assert_eq!(unpacked("gzip", b"").unwrap(), b"");
}

#[test]
fn what_does_not_unpack_says_why() {
    let whole = gzip(FEED);
    let mut damaged = whole.clone();
    let end = damaged.len();
    damaged[end - 6] ^= 1;
    let second = [gzip(FEED), gzip(FEED)[..20].to_vec()].concat();
    let table: [(&str, &[u8], &str); 8] = [
        ("gzip", &whole[..whole.len() / 2], "it ends before what was packed in it does"),
        ("gzip", &whole[..5], "it ends before what was packed in it does"),
        ("gzip", &second, "it ends before what was packed in it does"),
        ("gzip", &damaged, "its checksum does not match"),
        ("gzip", b"hello", "it is not gzip, as the server says"),
        ("deflate", &zlib(FEED)[..20], "it ends before what was packed in it does"),
        ("compress", b"\x1f\x9d\x90", "the server names a coding that is not known: \"compress\""),
        (
            "gzip,gzip,gzip,gzip,gzip",
            &whole,
            "the server names a coding that is not known: \"more than four, one in the other\"",
        ),
    ];
    for (codings, body, why) in table {
        assert_eq!(unpacked(codings, body).unwrap_err().to_string(), why, "{codings}");
    }
}

#[test]
fn what_comes_out_is_counted_as_it_comes() {
    let zeros = vec![0; 4 << 20];
    for (codings, bomb) in [
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("gzip, gzip", gzip(&gzip(&zeros))),
        ("gzip", [gzip(&zeros[..600_000]), gzip(&zeros[..600_000])].concat()),
    ] {
        assert_eq!(stepwise(codings, &bomb, 100, 1 << 20), Err(Unpackable::TooLarge), "{codings}");
        assert!(stepwise(codings, &bomb, 100, 4 << 20).is_ok(), "{codings}");
    }
    assert_eq!(stepwise("", FEED, 7, 10), Err(Unpackable::TooLarge));
    assert_eq!(stepwise("gzip", FEED, 7, 10), Err(Unpackable::TooLarge));
}

#[test]
fn no_bytes_make_it_panic() {
    let mut seed = 7_u64;
    for length in 0..3000 {
        let body: Vec<u8> = (0..length % 90)
            .map(|place| {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let byte = u8::try_from(seed >> 56).unwrap();
                // Half of them begin like gzip.
                if length % 2 == 0 { [0x1f, 0x8b, 8].get(place).copied().unwrap_or(byte) } else { byte }
            })
            .collect();
        for codings in ["gzip", "deflate", "deflate, gzip", "what"] {
            let _ = stepwise(codings, &body, 1 + length % 7, 1 << 16);
        }
    }
}
