use std::{fmt, str::FromStr, time::Duration};

use ocm_oci::{ImageRef, ReferenceError};

/// An on-off flag that also takes a value, as Go's flags do: `--flag`, `--flag=false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Switch {
    /// The flag stands alone, or with `=true`.
    On,
    /// The flag is absent, or stands with `=false`.
    #[default]
    Off,
}

/// Why some text is not the value of a [`Switch`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write `true` or `false`")]
pub(crate) struct SwitchError;

/// Why some text is no address to listen on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a port, or an IP address and a port, as in `5000` or `0.0.0.0:5000`")]
pub(crate) struct AddressError;

impl Switch {
    /// Returns whether it is on.
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }
}

impl FromStr for Switch {
    type Err = SwitchError;

    /// Takes the spellings of Go's `strconv.ParseBool`, and no others.
    fn from_str(text: &str) -> Result<Self, SwitchError> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Self::On),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Self::Off),
            _ => Err(SwitchError),
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "true" } else { "false" })
    }
}

/// A length of time written as Go writes it: `10m`, `1h30m`, `500ms`, `1.5s`, `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GoDuration(pub(crate) Duration);

/// Why some text is not a [`GoDuration`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    /// There is no number where one must be.
    #[error("write a number and a unit, as in `10m`, `1h30m` or `500ms`")]
    Form,
    /// A number has no unit, or one that is unknown.
    #[error("write a unit after each number: `ns`, `us`, `ms`, `s`, `m` or `h`, as in `10m`")]
    Unit,
    /// Time does not run backwards.
    #[error("a length of time cannot be negative")]
    Negative,
    /// It is longer than anyone waits.
    #[error("it is too long")]
    Range,
}

/// Reads a reference of an image; says in one line what it is not, and why.
pub(crate) fn image(text: &str) -> Result<ImageRef, String> {
    text.parse().map_err(|error: ReferenceError| format!("{error}: {}", error.fault))
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        if text.starts_with('-') {
            return Err(DurationError::Negative);
        }
        let mut rest = text.strip_prefix('+').unwrap_or(text);
        if rest == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let mut seconds = 0.0;
        while let Some(part) = take_part(&mut rest)? {
            seconds += part;
        }
        if text.is_empty() {
            return Err(DurationError::Form);
        }
        match Duration::try_from_secs_f64(seconds) {
            Ok(duration) => Ok(Self(duration)),
            Err(_) => Err(DurationError::Range),
        }
    }
}

/// Takes a number and its unit from the front of `rest`, and returns what they amount to, in
/// seconds; `None` at the end.
fn take_part(rest: &mut &str) -> Result<Option<f64>, DurationError> {
    if rest.is_empty() {
        return Ok(None);
    }
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let (number, after) = split_before(rest, |c| !is_number(c));
    let (unit, after) = split_before(after, is_number);
    let Ok(number) = number.parse::<f64>() else { return Err(DurationError::Form) };
    let scale = match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(DurationError::Unit),
    };
    *rest = after;
    Ok(Some(number * scale))
}

fn split_before(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

/// Text that is never shown: it has no `Display`, and its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Hands out the text.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let cases = [
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("0", 0),
            ("0s", 0),
            ("+2s", 2_000),
            (".5s", 500),
            ("1m0.5s", 60_500),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(text.parse(), Ok(GoDuration(Duration::from_millis(milliseconds))), "{text}");
        }
        let wrong = [
            ("", DurationError::Form),
            ("m", DurationError::Form),
            ("1.2.3s", DurationError::Form),
            ("10", DurationError::Unit),
            ("10 m", DurationError::Unit),
            ("10d", DurationError::Unit),
            ("-1s", DurationError::Negative),
            ("99999999999999999999h", DurationError::Range),
        ];
        for (text, fault) in wrong {
            assert_eq!(text.parse::<GoDuration>(), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Some(Secret::from("hunter2"))), "Some(***)");
    }
}
