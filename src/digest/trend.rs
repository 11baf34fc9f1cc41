//! Thirty days in thirty characters, and the same in words.

/// Days a trend shows.
const DAYS: usize = 30;
/// From nothing to the most.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws the counts as block characters: nothing is the lowest, the most the
/// highest, and one story is always more than none.
pub(super) fn sparkline(counts: &[u32]) -> String {
    let counts = last(counts);
    let most = u64::from(counts.iter().copied().max().unwrap_or(0));
    counts
        .iter()
        .filter_map(|&count| {
            let step =
                if count == 0 { 0 } else { 1 + (u64::from(count) - 1) * 6 / most.saturating_sub(1).max(1) };
            BLOCKS.get(usize::try_from(step).unwrap_or(7).min(7)).copied()
        })
        .collect()
}

/// Returns the middle of the counts, in words: `2` or `1.5`.
pub(super) fn median(counts: &[u32]) -> Option<String> {
    let mut sorted = last(counts).to_vec();
    sorted.sort_unstable();
    let upper = u64::from(*sorted.get(sorted.len() / 2)?);
    let lower = u64::from(*sorted.get((sorted.len() - 1) / 2)?);
    let doubled = lower + upper;
    Some(if doubled % 2 == 0 { format!("{}", doubled / 2) } else { format!("{}.5", doubled / 2) })
}

/// Returns the day before the last.
pub(super) fn yesterday(counts: &[u32]) -> Option<u32> {
    counts.iter().rev().nth(1).copied()
}

/// The days that are shown.
fn last(counts: &[u32]) -> &[u32] {
    counts.get(counts.len().saturating_sub(DAYS)..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_is_the_highest_and_one_is_more_than_none() {
        assert_eq!(sparkline(&[0, 1, 7]), "▁▂█");
        assert_eq!(sparkline(&[0, 1, 4000]), "▁▂█");
        assert_eq!(sparkline(&[0, 0]), "▁▁");
        assert_eq!(sparkline(&[0, 1, 1]), "▁▂▂");
        assert_eq!(sparkline(&[u32::MAX, 0]), "█▁");
        assert_eq!(sparkline(&[1; 44]).chars().count(), 30);
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn the_median_may_be_a_half() {
        assert_eq!(median(&[3, 1, 2]).as_deref(), Some("2"));
        assert_eq!(median(&[1, 2]).as_deref(), Some("1.5"));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn yesterday_is_the_last_but_one() {
        assert_eq!(yesterday(&[5, 2, 9]), Some(2));
        assert_eq!(yesterday(&[9]), None);
    }
}
