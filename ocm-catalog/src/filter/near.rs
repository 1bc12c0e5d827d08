use std::collections::BTreeSet;

use ocm_oci::similar;

/// Most names that are suggested.
const MOST: usize = 3;

/// Returns those of `known` that somebody who wrote `word` may have meant: the most similar one,
/// and those that contain it.
pub fn near<'k>(word: &str, known: impl Iterator<Item = &'k str> + Clone) -> Vec<String> {
    let similar = similar(word, known.clone());
    let contains = |name: &&str| word.len() > 2 && name.contains(word);
    let mut seen = BTreeSet::new();
    let all = similar.into_iter().chain(known.filter(contains));
    all.filter(|name| seen.insert(*name)).take(MOST).map(str::to_owned).collect()
}
