//! Lists of values in words.

/// `a`, `a and b`, `a, b and c`.
pub(super) fn and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The values in words, three or more that follow each other as `a to c`.
pub(super) fn runs(values: &[u16], word: impl Fn(u16) -> String) -> Vec<String> {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for &value in values {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == value => *last = value,
            _ => runs.push((value, value)),
        }
    }
    let words = runs.into_iter().flat_map(|(first, last)| match last - first {
        0 => vec![word(first)],
        1 => vec![word(first), word(last)],
        _ => vec![format!("{} to {}", word(first), word(last))],
    });
    words.collect()
}

/// The step between values that are all as far apart, when there are at least four.
pub(super) fn step(values: &[u16]) -> Option<u16> {
    let step = values.get(1)? - values.first()?;
    (values.len() >= 4 && values.windows(2).all(|pair| pair[1] - pair[0] == step)).then_some(step)
}

/// A [`step`] of two or more, and as an ordinal: every `2nd`.
pub(super) fn every_nth(values: &[u16]) -> Option<(u16, String)> {
    step(values).filter(|&step| step > 1).map(|step| (step, ordinal(step)))
}

/// `1st`, `2nd`, `3rd`, `11th`.
pub(super) fn ordinal(number: u16) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
