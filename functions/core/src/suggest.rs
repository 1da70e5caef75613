//! "Did you mean": the known word nearest to one that is not known.

/// The word of `known` that is nearest to `word`, if one is near enough to be what was meant.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = |name: &'a str| (strsim::jaro_winkler(&word, &name.to_lowercase()), name);
    let best = known.into_iter().map(near).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.85).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_another_word_is_not() {
        assert_eq!(closest("retension", ["retention", "restart"]), Some("retention"));
        assert_eq!(closest("keepfor", ["keep_for", "keep_last"]), Some("keep_for"));
        assert_eq!(closest("colour", ["retention", "restart"]), None);
    }
}
