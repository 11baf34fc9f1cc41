//! What is allowed in rule files and still a likely mistake.

use crate::problem::Problem;
use crate::rules::set::RuleSet;

/// Returns a warning for each finding.
pub(crate) fn lint(_set: &RuleSet) -> Vec<Problem> {
    Vec::new()
}
