use std::{fmt, str::FromStr};

/// A place of images in the manifests of a chart, in kubectl's JSONPath:
/// `{.spec.template.spec.containers[*].image}`, or the same without braces.
///
/// What it finds is for whoever has the manifests to see; here its brackets and quotes are checked.
///
/// Source: <https://kubernetes.io/docs/reference/kubectl/jsonpath/>.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImagePath(String);

/// Why some text is not an [`ImagePath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a path of JSONPath: {fault}")]
pub struct ImagePathError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub fault: ImagePathFault,
}

/// What is wrong with an [`ImagePath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImagePathFault {
    /// There is nothing in it.
    #[error("there is nothing in it")]
    Empty,
    /// Something is opened, and not closed.
    #[error("`{0}` is not closed")]
    Unclosed(char),
    /// Something is closed that was not opened.
    #[error("there is nothing that `{0}` could close")]
    Unopened(char),
}

impl ImagePathError {
    /// What to write instead.
    pub const HINT: &'static str =
        "write a path such as `{.spec.template.spec.containers[*].image}`";
}

impl ImagePath {
    /// Returns the text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImagePath {
    type Err = ImagePathError;

    fn from_str(text: &str) -> Result<Self, ImagePathError> {
        match check(text) {
            Ok(()) => Ok(Self(text.to_owned())),
            Err(fault) => Err(ImagePathError { text: text.to_owned(), fault }),
        }
    }
}

fn check(text: &str) -> Result<(), ImagePathFault> {
    // Outside of braces, if there are any, is plain text.
    let has_braces = text.contains('{');
    let mut open = Vec::new();
    let mut quote = None;
    let mut is_escaped = false;
    for character in text.chars() {
        if let Some(end) = quote {
            if !is_escaped && character == end {
                quote = None;
            }
            is_escaped = !is_escaped && character == '\\';
            continue;
        }
        let is_inside = !has_braces || !open.is_empty();
        match character {
            '\'' | '"' if is_inside => quote = Some(character),
            '{' => open.push(character),
            '[' | '(' if is_inside => open.push(character),
            '}' | ']' | ')' if is_inside || character == '}' => {
                let expected = match character {
                    '}' => '{',
                    ']' => '[',
                    _ => '(',
                };
                match open.pop() {
                    Some(last) if last == expected => {}
                    Some(last) => return Err(ImagePathFault::Unclosed(last)),
                    None => return Err(ImagePathFault::Unopened(character)),
                }
            }
            _ => {}
        }
    }
    match quote.or_else(|| open.pop()) {
        Some(open) => Err(ImagePathFault::Unclosed(open)),
        None if text.trim().is_empty() => Err(ImagePathFault::Empty),
        None => Ok(()),
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_quotes_are_closed() {
        for text in [
            "{.spec.template.spec.custom[*].image}",
            ".spec.image",
            "spec.image",
            "{range .items[*]}{.image}{'\\n'}{end}",
            "{.items[?(@.kind==\"a]\")].image}",
            "images: ) {.image}",
            "{.a['b\\'c']}",
        ] {
            assert_eq!(text.parse::<ImagePath>().map(|path| path.to_string()), Ok(text.to_owned()));
        }
        let table = [
            ("", ImagePathFault::Empty),
            (" ", ImagePathFault::Empty),
            ("{.spec.image", ImagePathFault::Unclosed('{')),
            ("{.items[*.image}", ImagePathFault::Unclosed('[')),
            ("{.items[?(@.a].image}", ImagePathFault::Unclosed('(')),
            ("{.a['b].image}", ImagePathFault::Unclosed('\'')),
            (".spec.image}", ImagePathFault::Unopened('}')),
            (".items*].image", ImagePathFault::Unopened(']')),
        ];
        for (text, fault) in table {
            assert_eq!(text.parse::<ImagePath>().unwrap_err().fault, fault, "{text}");
        }
    }
}
