//! The rule language: which articles are on the subject, and why.
//!
//! Pure: a [`RuleSet`](set::RuleSet) is compiled from rule files once and then maps
//! articles to matches, the same way in the daemon, in `explain` and in
//! `rules eval`.

#[cfg(test)]
mod agreement;
pub mod builtin;
pub(crate) mod ceiling;
pub mod compile;
pub(crate) mod compound;
pub mod corpus;
pub(crate) mod edges;
pub(crate) mod evaluate;
pub(crate) mod expression;
pub(crate) mod fields;
pub(crate) mod file;
pub(crate) mod fold;
pub(crate) mod grammar;
pub(crate) mod lint;
pub(crate) mod literal;
pub mod near;
pub(crate) mod necessary;
pub(crate) mod normal;
pub mod outcome;
pub(crate) mod pattern;
#[cfg(test)]
mod reference;
pub(crate) mod ruler;
pub(crate) mod scan;
pub(crate) mod script;
pub mod set;
pub(crate) mod shapes;
pub(crate) mod table;
pub mod testing;
pub(crate) mod variants;
pub(crate) mod vocabulary;
pub mod why;
