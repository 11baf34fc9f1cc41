//! The connection: reads and writes with limits, and says precisely what went wrong.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use crate::mail::smtp::reply::{Collector, MAX_LINE, Reply};

/// A byte stream, plain or under TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync + std::fmt::Debug> Stream for T {}

/// How much of a message is written at once; each piece has the step's whole time.
const PIECE: usize = 64 * 1024;

/// What can go wrong on the wire.
#[derive(Debug)]
pub(super) enum Trouble {
    Silence(Duration),
    Lost(io::Error),
    Nonsense(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Silence(limit) => write!(out, "nothing happened within {} s", limit.as_secs_f32()),
            Self::Lost(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                out.write_str("the server hung up")
            }
            Self::Lost(error) => write!(out, "the connection was lost: {error}"),
            Self::Nonsense(what) => out.write_str(what),
        }
    }
}

#[derive(Debug)]
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, unread: Vec::new() }
    }

    /// Gives the stream back for TLS; refused while it holds bytes that were never protected.
    pub(super) fn into_stream(self) -> Result<Box<dyn Stream>, Trouble> {
        if self.unread.is_empty() {
            return Ok(self.stream);
        }
        Err(Trouble::Nonsense("the server went on talking in the clear after STARTTLS".into()))
    }

    /// Reads one whole reply within `limit`.
    pub(super) async fn reply(&mut self, limit: Duration) -> Result<Reply, Trouble> {
        let read = async {
            let mut collector = Collector::default();
            loop {
                let line = self.line().await?;
                if let Some(reply) = collector.take(&line).map_err(Trouble::Nonsense)? {
                    return Ok(reply);
                }
            }
        };
        timeout(limit, read).await.map_err(|_| Trouble::Silence(limit))?
    }

    /// Writes all of `bytes`; every piece of it within `limit`.
    pub(super) async fn write(&mut self, bytes: &[u8], limit: Duration) -> Result<(), Trouble> {
        for piece in bytes.chunks(PIECE) {
            let write = async {
                self.stream.write_all(piece).await?;
                self.stream.flush().await
            };
            timeout(limit, write).await.map_err(|_| Trouble::Silence(limit))?.map_err(Trouble::Lost)?;
        }
        Ok(())
    }

    /// Whether the server has said something, or hung up, although it is our turn. Waits for nothing.
    pub(super) async fn spoke_out_of_turn(&mut self) -> bool {
        if !self.unread.is_empty() {
            return true;
        }
        let mut block = [0_u8; 1024];
        let (stream, unread) = (&mut self.stream, &mut self.unread);
        poll_fn(|context| {
            let mut buffer = ReadBuf::new(&mut block);
            let spoke = match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Pending => false,
                Poll::Ready(Ok(())) | Poll::Ready(Err(_)) => true,
            };
            unread.extend_from_slice(buffer.filled());
            Poll::Ready(spoke)
        })
        .await
    }

    async fn line(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut searched = 0;
        loop {
            let fresh = self.unread.get(searched..).unwrap_or_default();
            if let Some(place) = memchr::memchr(b'\n', fresh) {
                let mut line: Vec<u8> = self.unread.drain(..=searched + place).collect();
                while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                    line.pop();
                }
                return Ok(line);
            }
            searched = self.unread.len();
            if searched > MAX_LINE {
                return Err(Trouble::Nonsense(format!("a reply line of more than {MAX_LINE} bytes")));
            }
            let mut block = [0_u8; 1024];
            let count = self.stream.read(&mut block).await.map_err(Trouble::Lost)?;
            if count == 0 {
                return Err(Trouble::Lost(io::ErrorKind::UnexpectedEof.into()));
            }
            self.unread.extend(block.iter().take(count));
        }
    }
}
