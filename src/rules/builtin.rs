//! The rule pack compiled into the program.

use crate::problem::Source;

/// Pairs each file's place in the repository with what it says.
macro_rules! files {
    ($($name:literal)*) => {
        [$((concat!("config/rules/", $name, ".toml"), include_str!(concat!("../../config/rules/", $name, ".toml"))),)*]
    };
}

/// The files of the pack: the rules, their words by language, their tests.
const FILES: &[(&str, &str)] = &files! {
    "defence-cost-sharing"
    "tests-nato"
    "tests-other-hosts"
    "tests-us-japan"
    "tests-us-korea"
    "words-ar"
    "words-bg"
    "words-cs"
    "words-da"
    "words-de"
    "words-el"
    "words-en"
    "words-es"
    "words-et"
    "words-fa"
    "words-fi"
    "words-fr"
    "words-he"
    "words-hi"
    "words-hr"
    "words-hu"
    "words-id"
    "words-it"
    "words-ja"
    "words-ko"
    "words-lt"
    "words-lv"
    "words-nl"
    "words-no"
    "words-pl"
    "words-pt"
    "words-ro"
    "words-ru"
    "words-sk"
    "words-sq"
    "words-sv"
    "words-th"
    "words-tl"
    "words-tr"
    "words-uk"
    "words-vi"
    "words-zh"
};

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
