//! Guesses the word that was meant.

/// The word in `known` that is most similar to `word`, if similar enough to suggest. Case hardly matters, since `AUC`
/// for `auc` is the most common mistake; the earlier word wins a tie.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        if candidate == word {
            continue;
        }
        let other = candidate.to_lowercase();
        let mut likeness = strsim::normalized_damerau_levenshtein(&lower, &other);
        if differ_in_a_word(&lower, &other) {
            continue;
        }
        // `f1_score` for `f1`, `auc` for `roc_auc`: one contains the other, which edit distance alone rates too low.
        let (short, long) = if lower.len() < other.len() { (&lower, &other) } else { (&other, &lower) };
        if short.len() >= 2 && (long.starts_with(&**short) || long.ends_with(&**short)) {
            likeness = likeness.max(0.65);
        }
        if likeness >= 0.6 && best.is_none_or(|(score, _)| likeness > score) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Whether two names have the same number of words, and one pair of words is different: `data_version` is not a typo of
/// `model_version`.
fn differ_in_a_word(one: &str, other: &str) -> bool {
    let words = |name: &str| name.split(['_', '-', '.', '/', ' ']).map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (words(one), words(other));
    // One typo changes much of a short word.
    let alike = |(one, other): (&String, &String)| {
        strsim::normalized_damerau_levenshtein(one, other) >= 0.6
            || strsim::damerau_levenshtein(one, other) <= 1
    };
    one.len() > 1 && one.len() == other.len() && !one.iter().zip(&other).all(alike)
}
