//! burdenwatch watches the news for one subject.

pub mod cli;
pub mod config;
pub mod digest;
pub mod fetch;
pub mod news;
pub mod problem;
pub mod rules;
pub mod time;
