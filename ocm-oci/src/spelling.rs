/// Longest word for which a similar one is looked for, in letters: the time grows with its square,
/// and names of packages are shorter.
const WORD_LIMIT: usize = 64;

/// Returns the one of `known` that somebody who wrote `word` most probably meant.
pub fn similar<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let length = word.chars().count();
    if length > WORD_LIMIT {
        return None;
    }
    // A third of the word may be wrong: `nam` is `name`, `foo` is nothing.
    let near = |candidate: &&str| distance(word, candidate) <= length.div_ceil(3);
    known.into_iter().filter(near).min_by_key(|candidate| distance(word, candidate))
}

/// Returns how many letters have to be put in, left out, replaced or swapped with their
/// neighbour to make one of the other, whatever their case.
fn distance(left: &str, right: &str) -> usize {
    let letters = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (left, right) = (letters(left), letters(right));
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut before = None;
    for (i, &a) in left.iter().enumerate() {
        let two_above = std::mem::replace(&mut above, row);
        row = vec![i + 1];
        for (j, &b) in right.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut best = at(&above, j) + usize::from(a != b);
            best = best.min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped =
                j.checked_sub(1).filter(|k| before == Some(b) && right.get(*k) == Some(&a));
            if let Some(k) = swapped {
                best = best.min(at(&two_above, k) + 1);
            }
            row.push(best);
        }
        before = Some(a);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let table = [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("name", "name", 0),
            ("nam", "name", 1),
            ("NAME", "name", 0),
            ("naem", "name", 1),
            ("kitten", "sitting", 3),
            ("additionalImage", "additionalImages", 1),
        ];
        for (left, right, expected) in table {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }

    #[test]
    fn what_was_meant() {
        let known = ["additionalImages", "blockedImages", "name", "operators"];
        assert_eq!(similar("additionalImage", known), Some("additionalImages"));
        assert_eq!(similar("additonalimages", known), Some("additionalImages"));
        assert_eq!(similar("blockImages", known), Some("blockedImages"));
        assert_eq!(similar("nmae", known), Some("name"));
        assert_eq!(similar("foo", known), None);
        assert_eq!(similar(&"x".repeat(1 << 20), known), None);
    }
}
