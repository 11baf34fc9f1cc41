//! What changed between two versions of one article, when a person should know.

use super::Text;
use super::align::hunks;
use super::conflict::difference;
use super::features::Features;
use super::lexicon::Role;

/// Says what changed materially between two versions of one article; `None` for typos and polish.
pub fn material_change(old: &Text<'_>, new: &Text<'_>) -> Option<String> {
    let (before, after) =
        (Features::read(old.title, old.summary, old.lang), Features::read(new.title, new.summary, new.lang));
    difference(&before, &after).or_else(|| rewritten(&before, &after))
}

/// A headline of which less than half is left.
fn rewritten(before: &Features, after: &Features) -> Option<String> {
    let (x, y) = (&before.head, &after.head);
    let (n, m) = (x.sentence.tokens.len(), y.sentence.tokens.len());
    if n.min(m) < 3 {
        return None;
    }
    let lost: usize = hunks(x, y).iter().map(|h| (h.a.1 - h.a.0).max(h.b.1 - h.b.0)).sum();
    let turned = y.marks.iter().any(|k| k.role == Role::Opposite && !before.claims(k));
    (lost * 2 > n.max(m) || (turned && lost * 3 > n.max(m))).then(|| "headline rewritten".to_owned())
}
