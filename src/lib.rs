//! burdenwatch watches the news for one subject.

pub mod cli;
pub mod config;
pub mod daemon;
pub mod digest;
pub mod fetch;
pub mod flow;
pub mod mail;
pub mod news;
pub mod problem;
pub mod rules;
pub mod store;
pub mod time;
