//! The `when` of a rule: a boolean expression over sets.

use std::ops::Range;

use crate::rules::outcome::Field;

/// A set's number in its rule set.
pub(crate) type SetId = usize;

/// How two operands must stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nearness {
    /// Within so many half-units, in either order.
    Near(u32),
    /// Within so many half-units, the left one first.
    Then(u32),
    /// The left one with no right one within so many half-units.
    Away(u32),
    /// In one sentence.
    Same,
}

/// A part of an expression and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expr {
    /// What it is.
    pub(crate) node: Node,
    /// Byte range in the expression's text.
    pub(crate) span: Range<usize>,
}

/// What an expression can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// Occurrences of a set.
    Set {
        /// The set.
        id: SetId,
        /// Only in this field; the rule's fields when absent.
        field: Option<Field>,
        /// At least so many of them.
        least: u32,
    },
    /// All hold.
    And(Vec<Expr>),
    /// One holds.
    Or(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// Two stand to each other as told.
    Pair(Nearness, Box<Expr>, Box<Expr>),
    /// So many of them hold.
    Of(usize, Vec<Expr>),
    /// The score is at least this.
    Score(i64),
}

impl Expr {
    /// Whether it can only hold for a text in which something was found.
    pub(crate) fn is_positive(&self) -> bool {
        match &self.node {
            Node::Set { .. } | Node::Pair(..) | Node::Of(..) => true,
            Node::Score(least) => *least > 0,
            Node::Not(_) => false,
            Node::And(parts) => parts.iter().any(Self::is_positive),
            Node::Or(parts) => parts.iter().all(Self::is_positive),
        }
    }

    /// Calls `visit` for this part and every part below.
    pub(crate) fn walk<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        visit(self);
        match &self.node {
            Node::Set { .. } | Node::Score(_) => {}
            Node::Not(part) => part.walk(visit),
            Node::Pair(_, left, right) => {
                left.walk(visit);
                right.walk(visit);
            }
            Node::And(parts) | Node::Or(parts) | Node::Of(_, parts) => {
                parts.iter().for_each(|part| part.walk(visit));
            }
        }
    }
}

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Byte range in the expression's text.
    pub(crate) span: Range<usize>,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) hint: String,
}

/// Words that cannot name a set.
pub(crate) const RESERVED: [&str; 9] = ["and", "or", "not", "near", "then", "away", "same", "of", "score"];
