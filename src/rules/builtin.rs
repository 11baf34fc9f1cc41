//! The rule pack compiled into the program.

use crate::problem::Source;

/// The files of the pack: where they stand in the repository, and what they say.
const FILES: [(&str, &str); 5] = [
    ("config/rules/defence-cost-sharing.toml", include_str!("../../config/rules/defence-cost-sharing.toml")),
    ("config/rules/tests-nato.toml", include_str!("../../config/rules/tests-nato.toml")),
    ("config/rules/tests-other-hosts.toml", include_str!("../../config/rules/tests-other-hosts.toml")),
    ("config/rules/tests-us-japan.toml", include_str!("../../config/rules/tests-us-japan.toml")),
    ("config/rules/tests-us-korea.toml", include_str!("../../config/rules/tests-us-korea.toml")),
];

/// Returns the shipped pack.
pub fn sources() -> Vec<Source> {
    FILES.iter().map(|(path, text)| Source::new(path, *text)).collect()
}

#[cfg(test)]
mod tests {
    use crate::problem::Severity;
    use crate::rules::set::RuleSet;

    #[test]
    fn the_shipped_pack_compiles_and_passes_its_tests() {
        let compiled = RuleSet::compile(&super::sources());
        let errors: Vec<_> = compiled.problems.iter().filter(|p| p.severity == Severity::Error).collect();
        assert_eq!(errors, Vec::<&crate::problem::Problem>::new());
        assert_eq!(compiled.set.unwrap().failures(), []);
    }
}
