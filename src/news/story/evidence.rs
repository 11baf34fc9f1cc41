//! Why two articles are, or are not, copies of one text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ground {
    /// The texts coincide.
    SameText,
    /// The headlines coincide, and there is no text to compare.
    SameHeadline,
    /// The texts share too little.
    OwnWords,
    /// Much is shared, but each opens with a lead of its own.
    OwnLead,
    /// They contradict each other.
    Contradiction,
    /// One announces what the other does not have.
    NewFacts,
    /// Content was replaced throughout.
    Rewritten,
    /// The languages differ.
    OtherLanguage,
    /// More than 72 hours lie between them.
    TooFarApart,
    /// One outlet, two headlines.
    SameOutlet,
    /// Too short to tell.
    TooShort,
}

/// The evidence stored with a match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What decided.
    pub ground: Ground,
    /// Share of the shorter text that stands in the other in whole runs, in per cent.
    pub shared: u8,
    /// Share of the less covered lead sentence, in per cent.
    pub lead: u8,
    /// The longest shared run, in words or characters.
    pub run: u16,
    /// Whether runs were counted in characters.
    pub characters: bool,
    /// What contradicts, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<String>,
}

/// Whether two articles are copies of one text, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Copies of one text.
    pub copy: bool,
    /// Why.
    pub evidence: Evidence,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.characters { "characters" } else { "words" };
        let shared = |f: &mut fmt::Formatter<'_>| {
            write!(f, "{} % of the shorter text in shared runs of up to {} {unit}", self.shared, self.run)
        };
        match self.ground {
            Ground::SameText => {
                shared(f)?;
                f.write_str("; nothing contradicts")
            }
            Ground::SameHeadline => f.write_str("the same headline, and no text that contradicts it"),
            Ground::OwnWords => {
                f.write_str("only ")?;
                shared(f)
            }
            Ground::OwnLead => {
                shared(f)?;
                write!(f, ", but only {} % of the lead", self.lead)
            }
            Ground::Contradiction => {
                shared(f)?;
                write!(f, ", but they contradict: {}", self.conflict.as_deref().unwrap_or("unnamed"))
            }
            Ground::NewFacts => {
                shared(f)?;
                write!(f, ", but one brings news: {}", self.conflict.as_deref().unwrap_or("unnamed"))
            }
            Ground::Rewritten => {
                shared(f)?;
                f.write_str(", but content was replaced throughout")
            }
            Ground::OtherLanguage => f.write_str("different languages"),
            Ground::TooFarApart => f.write_str("more than 72 hours apart"),
            Ground::SameOutlet => f.write_str("one outlet, different headlines"),
            Ground::TooShort => f.write_str("too short to tell"),
        }
    }
}
