//! The SMTP dialogue (RFC 5321), written out: every step has a limit, and every end has one meaning.

mod dialogue;
mod judge;
mod login;
mod reply;
mod server;
mod wire;

pub(super) use dialogue::Dialogue;
pub(super) use server::Server;
