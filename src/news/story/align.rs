//! Aligns two lines and names what was replaced between them.

use super::features::Line;
use super::token::Kind;

/// A stretch in which two aligned lines differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hunk {
    /// Tokens of the first line: from, to.
    pub(super) a: (usize, usize),
    /// Tokens of the second line.
    pub(super) b: (usize, usize),
}

/// How many features two lines share.
pub(super) fn shared(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut n) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                n += 1;
                i += 1;
                j += 1;
            }
        }
    }
    n
}

/// The stretches in which two lines differ, by their longest common subsequence.
pub(super) fn hunks(a: &Line, b: &Line) -> Vec<Hunk> {
    let x: Vec<u32> = a.ids().collect();
    let y: Vec<u32> = b.ids().collect();
    let head = x.iter().zip(&y).take_while(|(p, q)| p == q).count();
    let most = x.len().min(y.len()) - head;
    let tail = x.iter().rev().zip(y.iter().rev()).take(most).take_while(|(p, q)| p == q).count();
    let xs = x.get(head..x.len() - tail).unwrap_or(&[]);
    let ys = y.get(head..y.len() - tail).unwrap_or(&[]);
    if xs.is_empty() && ys.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let (mut i, mut j) = (0, 0);
    let mut open = (0, 0);
    for (p, q) in common(xs, ys) {
        if p > i || q > j {
            found.push(Hunk { a: (open.0 + head, p + head), b: (open.1 + head, q + head) });
        }
        i = p + 1;
        j = q + 1;
        open = (i, j);
    }
    if xs.len() > i || ys.len() > j {
        found.push(Hunk { a: (i + head, xs.len() + head), b: (j + head, ys.len() + head) });
    }
    joined(found, a, b)
}

/// Pairs of positions of a longest common subsequence.
fn common(x: &[u32], y: &[u32]) -> Vec<(usize, usize)> {
    let width = y.len() + 1;
    let mut best = vec![0u16; (x.len() + 1) * width];
    for (i, p) in x.iter().enumerate().rev() {
        for (j, q) in y.iter().enumerate().rev() {
            let at = |r: usize, c: usize| best.get(r * width + c).copied().unwrap_or(0);
            let value = if p == q { at(i + 1, j + 1) + 1 } else { at(i + 1, j).max(at(i, j + 1)) };
            if let Some(cell) = best.get_mut(i * width + j) {
                *cell = value;
            }
        }
    }
    let at = |r: usize, c: usize| best.get(r * width + c).copied().unwrap_or(0);
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while let (Some(p), Some(q)) = (x.get(i), y.get(j)) {
        if p == q && at(i, j) == at(i + 1, j + 1) + 1 {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if at(i + 1, j) >= at(i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// Joins stretches with one token between them and widens them to whole Hangul words.
fn joined(hunks: Vec<Hunk>, a: &Line, b: &Line) -> Vec<Hunk> {
    let mut out: Vec<Hunk> = Vec::with_capacity(hunks.len());
    for mut hunk in hunks {
        widen(&mut hunk.a, a);
        widen(&mut hunk.b, b);
        match out.last_mut() {
            Some(last)
                if hunk.a.0 <= last.a.1 + near(a, last.a.1) || hunk.b.0 <= last.b.1 + near(b, last.b.1) =>
            {
                last.a.1 = last.a.1.max(hunk.a.1);
                last.b.1 = last.b.1.max(hunk.b.1);
            }
            _ => out.push(hunk),
        }
    }
    out
}

/// One matched character between two differences is chance; one matched content word is not.
fn near(line: &Line, at: usize) -> usize {
    let chance = line.sentence.tokens.get(at).is_some_and(|t| t.kind == Kind::Character)
        || line.content.get(at) == Some(&false);
    usize::from(chance)
}

fn widen(range: &mut (usize, usize), line: &Line) {
    if range.0 == range.1 {
        return;
    }
    let run = |i: usize| line.sentence.tokens.get(i).map(|t| t.run);
    while range.0 > 0 && line.spaced(range.0) && line.spaced(range.0 - 1) && run(range.0 - 1) == run(range.0)
    {
        range.0 -= 1;
    }
    while range.1 > 0 && line.spaced(range.1 - 1) && line.spaced(range.1) && run(range.1) == run(range.1 - 1)
    {
        range.1 += 1;
    }
}
