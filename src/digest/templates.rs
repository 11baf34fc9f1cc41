//! The mail templates: those compiled in, and those a user puts in their place.

use std::fmt;

use minijinja::AutoEscape;
use minijinja::Environment;
use minijinja::Error;
use minijinja::Output;
use minijinja::State;
use minijinja::UndefinedBehavior;
use minijinja::Value;
use minijinja::escape_formatter;
use minijinja::syntax::SyntaxConfig;

use crate::digest::columns;
use crate::digest::trial;
use crate::problem::Problem;
use crate::problem::Source;
use crate::problem::did_you_mean;

/// Every template compiled in; a name that begins with `_` is a part of others.
const BUILTIN: [(&str, &str); 14] = [
    ("_frame.html", include_str!("templates/_frame.html")),
    ("_meta.html", include_str!("templates/_meta.html")),
    ("_meta.txt", include_str!("templates/_meta.txt")),
    ("_topic.html", include_str!("templates/_topic.html")),
    ("_topic.txt", include_str!("templates/_topic.txt")),
    ("_why.html", include_str!("templates/_why.html")),
    ("alert.html", include_str!("templates/alert.html")),
    ("alert.txt", include_str!("templates/alert.txt")),
    ("digest.html", include_str!("templates/digest.html")),
    ("digest.txt", include_str!("templates/digest.txt")),
    ("notice.html", include_str!("templates/notice.html")),
    ("notice.txt", include_str!("templates/notice.txt")),
    ("rollup.html", include_str!("templates/rollup.html")),
    ("rollup.txt", include_str!("templates/rollup.txt")),
];
/// Those of one story, apart because digests and roll-ups share them.
const STORY: [(&str, &str); 2] = [
    ("story.html", include_str!("templates/story.html")),
    ("story.txt", include_str!("templates/story.txt")),
];

/// A set of templates ready to render.
pub struct Templates {
    own: Option<Environment<'static>>,
    builtin: Environment<'static>,
}

impl fmt::Debug for Templates {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Templates").field("own", &self.own.is_some()).finish_non_exhaustive()
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Templates {
    /// Returns the templates compiled in.
    pub fn builtin() -> Self {
        Self { own: None, builtin: builtin_environment() }
    }

    /// Puts the given templates, named by their file names, in the place of
    /// those compiled in, after rendering sample mail with them: a mistake in a
    /// template is found when it is loaded, not when it is needed.
    pub fn from_dir(sources: &[Source]) -> Result<Self, Vec<Problem>> {
        let mut own = builtin_environment();
        let mut problems = Vec::new();
        for source in sources {
            let name = name(source);
            if let Some(problem) = misnamed(source, &name) {
                problems.push(problem);
            } else if let Err(error) = own.add_template_owned(name, source.text.to_string()) {
                problems.push(problem(&error, sources));
            }
        }
        if problems.is_empty() {
            for error in trial::errors(&own) {
                let problem = problem(&error, sources);
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
        if problems.is_empty() {
            Ok(Self { own: Some(own), builtin: builtin_environment() })
        } else {
            Err(problems)
        }
    }

    /// Renders with the user's templates, and with those compiled in when the
    /// user's fail on this mail or come out longer than `limit`: a mail in
    /// another dress is better than none.
    pub(super) fn render(
        &self,
        compose: impl Fn(&Environment<'static>) -> Result<String, Error>,
        limit: usize,
    ) -> String {
        let own = self.own.as_ref().and_then(|own| compose(own).ok()).filter(|text| text.len() <= limit);
        // Those compiled in are rendered by the tests on every shape of data.
        own.unwrap_or_else(|| compose(&self.builtin).unwrap_or_default())
    }
}

/// Renders one template.
pub(super) fn render(environment: &Environment<'static>, name: &str, facts: Value) -> Result<String, Error> {
    environment.get_template(name)?.render(facts)
}

/// Makes an environment of the templates compiled in.
fn builtin_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()
            .unwrap_or_default(),
    );
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".txt") { AutoEscape::None } else { AutoEscape::Html }
    });
    environment.set_formatter(escape);
    environment
        .add_filter("wrap", |text: String, first: String, rest: String| columns::wrap(&text, &first, &rest));
    environment
        .add_filter("flow", |text: String, first: String, rest: String| columns::flow(&text, &first, &rest));
    environment.add_filter("margin", |left: String, right: String| columns::margin(&left, &right));
    environment.add_global("rule", "-".repeat(columns::WIDTH));
    for (name, text) in BUILTIN.into_iter().chain(STORY) {
        // A test compiles them all.
        let _ = environment.add_template(name, text);
    }
    environment
}

/// Writes a value as the template's kind wants it. Unlike the library's own
/// escape it leaves the slash alone, which addresses are full of.
fn escape(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let plain = matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe();
    let Some(text) = value.as_str().filter(|_| plain) else {
        return escape_formatter(out, state, value);
    };
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let mut letters = from.chars();
        let entity = match letters.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('"') => "&quot;",
            _ => "&#39;",
        };
        out.write_str(before)?;
        out.write_str(entity)?;
        rest = letters.as_str();
    }
    out.write_str(rest)?;
    Ok(())
}

/// The name a template goes by: that of its file.
fn name(source: &Source) -> String {
    source.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Complains about a file that would never be used.
fn misnamed(source: &Source, name: &str) -> Option<Problem> {
    let kind = name.ends_with(".html") || name.ends_with(".txt");
    let mut known = BUILTIN.iter().chain(&STORY).map(|(name, _)| *name);
    if kind && (name.starts_with('_') || known.any(|known| known == name)) {
        return None;
    }
    let names: Vec<&str> = BUILTIN.iter().chain(&STORY).map(|(name, _)| *name).collect();
    let hint = match did_you_mean(name, names.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("the names are {}; a part of your own begins with _", names.join(", ")),
    };
    Some(Problem::error(source, 0..0, format!("no mail is made with a template named {name:?}")).hint(hint))
}

/// Turns the library's error into a complaint with its place.
fn problem(error: &Error, sources: &[Source]) -> Problem {
    let what = match error.detail() {
        Some(detail) => format!("the template cannot be used: {} ({detail})", error.kind()),
        None => format!("the template cannot be used: {}", error.kind()),
    };
    let source = sources.iter().find(|source| error.name() == Some(name(source).as_str()));
    let problem = match source {
        Some(source) => Problem::error(source, place(error, source), what),
        None => Problem::bare(format!("{}: {what}", error.name().unwrap_or("templates"))),
    };
    problem.hint(
        "rendered with sample mail; compare with the template compiled in, or remove the file to use that",
    )
}

/// The bytes the error is about: its own range, or its line.
fn place(error: &Error, source: &Source) -> std::ops::Range<usize> {
    let line = error.line().unwrap_or(1).saturating_sub(1);
    let start: usize = source.text.split_inclusive('\n').take(line).map(str::len).sum();
    let text = source.text.split('\n').nth(line).unwrap_or_default();
    let whole = start + (text.len() - text.trim_start().len())..start + text.trim_end().len();
    error.range().filter(|range| range.start >= start && range.end <= source.text.len()).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(files: &[(&str, &str)]) -> Result<Templates, Vec<Problem>> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(name, text)| Source::new(format!("mail/{name}"), (*text).to_owned()))
            .collect();
        Templates::from_dir(&sources)
    }

    #[test]
    fn those_compiled_in_pass_their_own_trial() {
        let environment = builtin_environment();
        assert_eq!(environment.templates().count(), BUILTIN.len() + STORY.len());
        assert_eq!(trial::errors(&environment).iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let problems = load(&[
            ("alert.txt", "{{ s.title }}\n\n  {{ s.titel }}\n"),
            ("digest.html", "<h1>{{ numbr }}</h1>"),
        ]);
        let places: Vec<_> = problems.unwrap_err().iter().filter_map(Problem::place).collect();
        assert_eq!(places, ["mail/alert.txt:3:6", "mail/digest.html:1:8"]);
        let problems = load(&[("alert.txt", "a\n{% if %}"), ("notice.txt", "{{ x")]).unwrap_err();
        assert_eq!(problems.iter().filter_map(Problem::place).count(), 2);
    }

    #[test]
    fn a_file_that_would_never_be_used_is_a_mistake() {
        let problems = load(&[("digets.html", ""), ("notes.md", "")]).unwrap_err();
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[0].hint.as_deref(), Some("did you mean \"digest.html\"?"));
        assert!(load(&[("_mine.txt", "x"), ("alert.txt", "{% include '_mine.txt' %}")]).is_ok());
    }
}
