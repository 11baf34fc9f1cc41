//! Content codings undone, as the bytes come.
//!
//! Done here for what the client's own decoder leaves: a gzip body of several
//! members, deflate without its wrapper, other spellings of the names, and
//! more than one coding. Brotli and Zstandard the client has undone already.

use flate2::{Crc, Decompress, FlushDecompress, Status};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// What is asked for, the client's own two included.
pub(super) const ACCEPTED: &str = "zstd,gzip,deflate,br";

/// The most codings of one body.
const MOST: usize = 4;
/// Room made for what comes out, at least.
const ROOM: usize = 32 * 1024;
/// The longest gzip header, which may hold a name and a comment.
const LONGEST_HEADER: usize = 16 * 1024;

/// Why a body does not unpack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unpackable {
    /// More comes out than may.
    #[error("more comes out than is allowed")]
    TooLarge,
    /// Nobody knows the coding, and the body is not plain text either.
    #[error("the server names a coding that is not known: {0:?}")]
    Unknown(String),
    /// The body ends within what was packed.
    #[error("it ends before what was packed in it does")]
    Cut,
    /// The bytes are not what the coding makes.
    #[error("{0}")]
    Broken(&'static str),
}

/// A body on its way out of its codings.
#[derive(Debug)]
pub(super) struct Unpacker {
    /// The coding applied last comes first.
    layers: Vec<Layer>,
    out: Vec<u8>,
    most: usize,
}

impl Unpacker {
    /// Reads from the headers how a body is packed; `most` bytes may come out of it.
    pub(super) fn new(headers: &HeaderMap, most: u64, room: usize) -> Self {
        let mut layers: Vec<Layer> = headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
            .filter_map(|name| Coding::of(&String::from_utf8_lossy(name)))
            .map(Layer::new)
            .collect();
        layers.reverse();
        if layers.len() > MOST {
            layers = vec![Layer::new(Coding::Unknown("more than four, one in the other".to_owned()))];
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self { layers, out: Vec::with_capacity(room), most }
    }

    /// How many bytes have come out.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// What has come out so far.
    pub(super) fn so_far(&self) -> &[u8] {
        &self.out
    }

    /// Takes the next bytes of the body.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Unpackable> {
        match self.layers.as_mut_slice() {
            [] => plain(bytes, &mut self.out, self.most),
            [layer] => layer.take(bytes, &mut self.out, self.most),
            [layers @ .., last] => {
                let mut passed = bytes.to_vec();
                for layer in layers {
                    let mut next = Vec::new();
                    layer.take(&passed, &mut next, self.most)?;
                    passed = next;
                }
                last.take(&passed, &mut self.out, self.most)
            }
        }
    }

    /// Returns the whole body.
    pub(super) fn finish(self) -> Result<Vec<u8>, Unpackable> {
        self.layers.iter().try_for_each(Layer::finish)?;
        Ok(self.out)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Unknown(String),
}

impl Coding {
    /// The coding of that name; none where nothing is packed, or the name is a charset's.
    fn of(name: &str) -> Option<Self> {
        let name = name.trim().trim_matches('"').to_ascii_lowercase();
        match name.as_str() {
            "" | "identity" | "none" | "binary" | "7bit" | "8bit" | "utf-8" | "utf8" => None,
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" | "x-deflate" => Some(Self::Deflate),
            _ => Some(Self::Unknown(name.chars().filter(|char| !char.is_control()).take(40).collect())),
        }
    }
}

/// One coding being undone.
#[derive(Debug)]
struct Layer {
    coding: Coding,
    at: At,
    /// Bytes of a header, a trailer or a beginning that is not whole yet.
    held: Vec<u8>,
    crc: Crc,
}

/// How far a layer has come.
#[derive(Debug)]
enum At {
    /// Nothing has been seen.
    Begin,
    /// In the header of a gzip member.
    Header,
    /// In what is packed.
    Inside(Decompress),
    /// In the checksum and length behind a gzip member.
    Trailer,
    /// Behind a gzip member.
    Between,
    /// Behind the end: what else comes is padding.
    Done,
    /// In a body that is not packed, whatever its headers say.
    Plain,
}

impl Layer {
    fn new(coding: Coding) -> Self {
        Self { coding, at: At::Begin, held: Vec::new(), crc: Crc::new() }
    }

    fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>, most: usize) -> Result<(), Unpackable> {
        if self.held.is_empty() {
            return self.run(bytes, out, most);
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        self.run(&all, out, most)
    }

    fn run(&mut self, mut bytes: &[u8], out: &mut Vec<u8>, most: usize) -> Result<(), Unpackable> {
        while !bytes.is_empty() {
            match &mut self.at {
                At::Begin => match self.begin(bytes)? {
                    Some(at) => self.at = at,
                    None => return self.hold(bytes),
                },
                At::Header => match header(bytes)? {
                    Some(length) => {
                        bytes = bytes.get(length..).unwrap_or_default();
                        self.crc.reset();
                        self.at = At::Inside(Decompress::new(false));
                    }
                    None => return self.hold(bytes),
                },
                At::Inside(inflate) => {
                    let ended = self::inflate(inflate, &mut bytes, &mut self.crc, out, most)?;
                    if ended {
                        self.at = if self.coding == Coding::Gzip { At::Trailer } else { At::Done };
                    }
                }
                At::Trailer => {
                    let Some((trailer, rest)) = bytes.split_first_chunk::<8>() else {
                        return self.hold(bytes);
                    };
                    let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
                    let sum = u32::from_le_bytes([c0, c1, c2, c3]);
                    if sum != self.crc.sum() || u32::from_le_bytes([l0, l1, l2, l3]) != self.crc.amount() {
                        return Err(Unpackable::Broken("its checksum does not match"));
                    }
                    (bytes, self.at) = (rest, At::Between);
                }
                At::Between => match bytes {
                    [0x1f] => return self.hold(bytes),
                    [0x1f, 0x8b, ..] => self.at = At::Header,
                    _ => self.at = At::Done,
                },
                At::Done => return Ok(()),
                At::Plain => return plain(bytes, out, most),
            }
        }
        Ok(())
    }

    /// Judges a coding by the first bytes; none while there are too few.
    fn begin(&self, bytes: &[u8]) -> Result<Option<At>, Unpackable> {
        if let Coding::Deflate = self.coding {
            // Some leave the zlib header out; where it stands, its two bytes are a multiple of 31.
            let [first, second, ..] = bytes else { return Ok(None) };
            let zlib = first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0;
            return Ok(Some(At::Inside(Decompress::new(zlib))));
        }
        let text = bytes.trim_ascii_start();
        match (&self.coding, text) {
            (_, [] | [0x1f]) => Ok(None),
            (Coding::Gzip, [0x1f, 0x8b, ..]) if text.len() == bytes.len() => Ok(Some(At::Header)),
            // A server that packs nothing and says it does; a feed begins like one.
            (_, [b'<' | b'{' | b'[' | 0xef | 0xfe | 0xff, ..]) => Ok(Some(At::Plain)),
            (Coding::Unknown(name), _) => Err(Unpackable::Unknown(name.clone())),
            _ => Err(Unpackable::Broken("it is not gzip, as the server says")),
        }
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), Unpackable> {
        if bytes.len() > LONGEST_HEADER {
            return Err(Unpackable::Broken("its gzip header does not end"));
        }
        self.held = bytes.to_vec();
        Ok(())
    }

    fn finish(&self) -> Result<(), Unpackable> {
        match self.at {
            At::Header | At::Inside(_) => Err(Unpackable::Cut),
            // All there was has come out; a checksum that is missing can tell nothing more.
            _ => Ok(()),
        }
    }
}

/// Takes bytes as they are, as many as there is room for.
fn plain(bytes: &[u8], out: &mut Vec<u8>, most: usize) -> Result<(), Unpackable> {
    let room = most.saturating_sub(out.len());
    out.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    if bytes.len() > room { Err(Unpackable::TooLarge) } else { Ok(()) }
}

/// Unpacks as far as the bytes reach; tells whether what was packed has ended.
fn inflate(
    inflate: &mut Decompress,
    bytes: &mut &[u8],
    crc: &mut Crc,
    out: &mut Vec<u8>,
    most: usize,
) -> Result<bool, Unpackable> {
    loop {
        if out.len() == out.capacity() {
            out.reserve(ROOM);
        }
        let (from, read) = (out.len(), inflate.total_in());
        let status = inflate
            .decompress_vec(bytes, out, FlushDecompress::None)
            .map_err(|_| Unpackable::Broken("it does not decompress"))?;
        let used = usize::try_from(inflate.total_in() - read).unwrap_or(usize::MAX);
        *bytes = bytes.get(used..).unwrap_or_default();
        crc.update(out.get(from..).unwrap_or_default());
        if out.len() > most {
            return Err(Unpackable::TooLarge);
        }
        match status {
            Status::StreamEnd => return Ok(true),
            // With room left, everything that was in has come out.
            _ if bytes.is_empty() && out.len() < out.capacity() => return Ok(false),
            _ if used == 0 && out.len() == from && out.len() < out.capacity() => {
                return Err(Unpackable::Broken("it does not decompress"));
            }
            _ => {}
        }
    }
}

/// Returns the length of a gzip member's header; none while it is not whole.
fn header(bytes: &[u8]) -> Result<Option<usize>, Unpackable> {
    let Some([magic, more, method, flags, _, _, _, _, _, _]) = bytes.first_chunk::<10>() else {
        return Ok(None);
    };
    if [*magic, *more, *method] != [0x1f, 0x8b, 8] {
        return Err(Unpackable::Broken("its gzip header is broken"));
    }
    let mut at = 10;
    if flags & 4 != 0 {
        let Some([low, high]) = bytes.get(at..).and_then(<[u8]>::first_chunk) else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            let Some(end) = bytes.get(at..).and_then(|rest| memchr::memchr(0, rest)) else { return Ok(None) };
            at += end + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    Ok((bytes.len() >= at).then_some(at))
}

#[cfg(test)]
mod tests;
