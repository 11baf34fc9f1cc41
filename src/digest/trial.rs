//! Renders sample mail with a set of templates, to find their mistakes.

use minijinja::Environment;
use minijinja::Error;

use crate::digest::compose;
use crate::digest::sample;

/// Returns the errors of every kind of mail, each tried full and bare.
pub(super) fn errors(environment: &Environment<'static>) -> Vec<Error> {
    let mut errors = Vec::new();
    for part in [compose::Part::Text, compose::Part::Html] {
        let tries = [
            compose::alert_part(&sample::alert(), environment, part),
            compose::alert_part(&sample::follow_up(), environment, part),
            compose::alert_part(&sample::bare_alert(), environment, part),
            compose::rollup_part(&sample::rollup(), environment, part),
            compose::digest_part(&sample::digest(), environment, part),
            compose::digest_part(&sample::quiet_digest(), environment, part),
            compose::notice_part("Subject", &["A line.".to_owned()], environment, part),
        ];
        errors.extend(tries.into_iter().filter_map(Result::err));
    }
    errors
}
