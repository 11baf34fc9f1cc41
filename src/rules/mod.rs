//! The rule language: which articles are on the subject, and why.
//!
//! Pure: a [`RuleSet`](set::RuleSet) is compiled from rule files once and then maps
//! articles to matches, the same way in the daemon, in `explain` and in
//! `rules eval`.

pub mod outcome;
