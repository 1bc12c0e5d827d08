//! `.indexignore`: which files are no part of the catalog.

/// The name of a file with such rules. They are of its directory, and of those below.
const NAME: &str = ".indexignore";

/// Longest file with such rules, in bytes. Each is held against every path.
pub(super) const LONGEST: usize = 16 << 10;

/// The rules of a `.indexignore`, in the language of `.gitignore`: of those that match, the last
/// one counts.
///
/// Source: <https://git-scm.com/docs/gitignore#_pattern_format>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IgnoreRules {
    /// The directory that they are of, with `/` at its end; empty for the root.
    directory: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// The parts of the pattern between slashes; `**` is any number of parts.
    parts: Vec<String>,
    verdict: Verdict,
    scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ignored,
    Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Anything,
    Directories,
}

impl IgnoreRules {
    /// Reads them, if the file at `path` has such. Where they are too long, there are none.
    pub(crate) fn of(path: &str, bytes: &[u8]) -> Option<Self> {
        let bytes = if bytes.len() > LONGEST { &[] } else { bytes };
        let directory = path.strip_suffix(NAME)?;
        if !directory.is_empty() && !directory.ends_with('/') {
            return None;
        }
        let text = String::from_utf8_lossy(bytes);
        let rules = text.lines().filter_map(Rule::of).collect();
        Some(Self { directory: directory.to_owned(), rules })
    }

    /// Returns how deep the directory is that they are of.
    pub(crate) fn depth(&self) -> usize {
        self.directory.matches('/').count()
    }

    /// Says whether a file is ignored; `None` where no rule is about it.
    pub(crate) fn is_ignored(&self, path: &str) -> Option<bool> {
        let inner = path.strip_prefix(&self.directory)?;
        let parts: Vec<&str> = inner.split('/').collect();
        // What is in a directory that is ignored is ignored, whatever else is said of it.
        for length in 1..parts.len() {
            let above = parts.get(..length).unwrap_or_default();
            if self.verdict(above, Scope::Directories) == Some(Verdict::Ignored) {
                return Some(true);
            }
        }
        self.verdict(&parts, Scope::Anything).map(|verdict| verdict == Verdict::Ignored)
    }

    fn verdict(&self, parts: &[&str], what: Scope) -> Option<Verdict> {
        let is_about = |rule: &&Rule| {
            let is_meant = rule.scope == Scope::Anything || what == Scope::Directories;
            is_meant && matches(&rule.parts, parts)
        };
        self.rules.iter().rev().find(is_about).map(|rule| rule.verdict)
    }
}

impl Rule {
    fn of(line: &str) -> Option<Self> {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (pattern, verdict) = match line.strip_prefix('!') {
            Some(pattern) => (pattern, Verdict::Kept),
            None => (line, Verdict::Ignored),
        };
        let (pattern, scope) = match pattern.strip_suffix('/') {
            Some(pattern) => (pattern, Scope::Directories),
            None => (pattern, Scope::Anything),
        };
        let rooted = pattern.strip_prefix('/').unwrap_or(pattern);
        let mut parts: Vec<String> = rooted.split('/').map(str::to_owned).collect();
        // Without a slash it is about that name in any directory.
        if !pattern.contains('/') {
            parts.insert(0, "**".to_owned());
        }
        Some(Self { parts, verdict, scope })
    }
}

/// Matches the parts of a path with those of a pattern. Where it fails, the last `**` takes one
/// part more: no other has to.
fn matches(mut pattern: &[String], mut path: &[&str]) -> bool {
    let mut last = None;
    loop {
        let is_any = |part: &String| part == "**";
        match (pattern.split_first(), path.split_first()) {
            (None, None) => return true,
            // At the end it is everything below, and not the directory itself.
            (Some((part, [])), _) if is_any(part) => return !path.is_empty(),
            (Some((part, rest)), _) if is_any(part) => {
                last = Some((rest, path));
                pattern = rest;
                continue;
            }
            (Some((part, rest)), Some((name, below))) if matches_name(part, name) => {
                (pattern, path) = (rest, below);
                continue;
            }
            _ => {}
        }
        let Some((rest, [_, below @ ..])) = last else { return false };
        last = Some((rest, below));
        (pattern, path) = (rest, below);
    }
}

/// Matches one name: `*` is anything, `?` is a character, `[a-c]` is one of some, `\` takes the
/// meaning from what follows. Where it fails, the last `*` takes one character more.
fn matches_name(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<_>, Vec<_>) = (pattern.chars().collect(), name.chars().collect());
    let (mut pattern, mut name) = (&*pattern, &*name);
    let mut last = None;
    loop {
        match (pattern, name) {
            ([], []) => return true,
            (['*', rest @ ..], _) => {
                last = Some((rest, name));
                pattern = rest;
                continue;
            }
            (_, [letter, after @ ..]) => {
                if let Some(rest) = matches_letter(pattern, *letter) {
                    (pattern, name) = (rest, after);
                    continue;
                }
            }
            _ => {}
        }
        let Some((rest, [_, after @ ..])) = last else { return false };
        last = Some((rest, after));
        (pattern, name) = (rest, after);
    }
}

/// Matches a letter with what a pattern begins with, which is no `*`; returns what follows that.
fn matches_letter(pattern: &[char], letter: char) -> Option<&[char]> {
    match pattern {
        ['?', rest @ ..] => Some(rest),
        ['[', class @ ..] => match class_of(class, letter) {
            Some((is_in, rest)) => is_in.then_some(rest),
            None => (letter == '[').then_some(class),
        },
        ['\\', one, rest @ ..] | [one, rest @ ..] => (*one == letter).then_some(rest),
        [] => None,
    }
}

/// Says whether a letter is in the class that `pattern` begins with, and what follows that;
/// `None` where it never ends.
fn class_of(pattern: &[char], letter: char) -> Option<(bool, &[char])> {
    let (is_negated, mut rest) = match pattern {
        ['!' | '^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut is_in, mut is_first) = (false, true);
    loop {
        rest = match rest {
            [']', after @ ..] if !is_first => return Some((is_in != is_negated, after)),
            [from, '-', to, after @ ..] if *to != ']' => {
                is_in |= (*from..=*to).contains(&letter);
                after
            }
            [one, after @ ..] => {
                is_in |= *one == letter;
                after
            }
            [] => return None,
        };
        is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ignored(rules: &str, path: &str) -> bool {
        let rules = IgnoreRules::of(".indexignore", rules.as_bytes()).unwrap();
        rules.is_ignored(path).unwrap_or_default()
    }

    #[test]
    fn patterns() {
        for (rules, ignored, kept) in [
            ("README.md", &["README.md", "a/README.md"][..], &["README.md.json", "a"][..]),
            ("*.md", &["x.md", "a/b/.md"], &["x.mdx", "md"]),
            ("/x.md", &["x.md"], &["a/x.md"]),
            ("docs/", &["docs/a", "a/docs/b/c"], &["docs", "a/docs"]),
            ("a/b", &["a/b", "a/b/c"], &["c/a/b"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/x/c"]),
            ("**/b", &["b", "a/b"], &["a/bc"]),
            ("a/**", &["a/b", "a/b/c"], &["a"]),
            ("?.[jy]*", &["a.json", "b.yaml"], &["ab.json", "a.xml"]),
            ("[!a-c].x", &["d.x"], &["a.x", "b.x"]),
            ("*.json\n!keep.json", &["a.json"], &["keep.json"]),
            ("gone/\n!gone/keep.json", &["gone/keep.json"], &[]),
            ("# comment\n\n\\#x", &["#x"], &["comment"]),
            ("[a", &["[a"], &["a"]),
        ] {
            for path in ignored {
                assert!(is_ignored(rules, path), "{rules} ignores {path}");
            }
            for path in kept {
                assert!(!is_ignored(rules, path), "{rules} does not ignore {path}");
            }
        }
    }

    #[test]
    fn rules_are_of_their_directory() {
        let rules = IgnoreRules::of("a/.indexignore", b"*.md").unwrap();
        assert_eq!(rules.is_ignored("a/b/x.md"), Some(true));
        assert_eq!(rules.is_ignored("a/b/x.json"), None);
        assert_eq!(rules.is_ignored("b/x.md"), None);
        assert!(IgnoreRules::of("a/b.indexignore", b"").is_none());
        assert!(IgnoreRules::of("a/x.json", b"").is_none());
    }

    /// It ends, whatever it says, and needs no stack for it.
    #[test]
    fn many_stars_take_no_time() {
        let rules = format!("{}b", "*a".repeat(60));
        assert!(!is_ignored(&rules, &"a".repeat(200)));
        let rules = format!("{}zz", "*".repeat(9_900));
        assert!(!is_ignored(&rules, "a.json") && is_ignored(&rules, "zz"));
        let rules = format!("{}a", "**/".repeat(5_000));
        assert!(is_ignored(&rules, "b/c/a") && !is_ignored(&rules, "b/c"));
    }

    #[test]
    fn a_star_takes_as_much_as_it_must() {
        for (rule, path) in [("*ab*ab", "abaab"), ("a*b?c*", "axbbxc"), ("*[!x]*y", "xxzxy")] {
            assert!(is_ignored(rule, path), "{rule} {path}");
        }
        assert!(!is_ignored("*ab*ab", "ab") && !is_ignored("**/a/**/a/b", "a/b"));
        assert!(is_ignored("**/a/**/a/b", "a/c/a/d/a/b"));
    }
}
