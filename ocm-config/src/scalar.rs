use crate::node::Value;

/// Returns what a scalar without quotes is, by the rules of YAML 1.1 as Go's reader has them.
///
/// Numbers and yes-or-no words keep their text: a tag `4.10` is not the tag `4.1`.
pub(crate) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            Value::Bool(text.to_owned())
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            Value::Bool(text.to_owned())
        }
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}

/// Whether one of the words for yes or no means yes.
pub(crate) fn is_on(word: &str) -> bool {
    word.starts_with(['y', 'Y', 't', 'T']) || word.eq_ignore_ascii_case("on")
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN" => true,
        _ => is_integer(unsigned) || is_decimal(unsigned),
    }
}

/// `12`, `1_000`, `0x1f`, `0o17`, `0b11`.
fn is_integer(text: &str) -> bool {
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (text.get(2..), 16),
        Some("0o") => (text.get(2..), 8),
        Some("0b") => (text.get(2..), 2),
        _ => (Some(text), 10),
    };
    digits.is_some_and(|digits| {
        digits.starts_with(|c: char| c.is_digit(radix))
            && digits.chars().all(|c| c.is_digit(radix) || c == '_')
    })
}

/// `1.5`, `.5`, `5.`, `1e3`, `1.5e-3`.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let is_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let has_digit = mantissa.bytes().any(|b| b.is_ascii_digit());
    is_exponent
        && has_digit
        && !mantissa.starts_with('_')
        && are_digits(whole)
        && are_digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_keep_their_text() {
        let numbers = [
            "0", "12", "-3", "+4", "1_000", "0x1F", "0o17", "0b11", "010", "4.10", ".5", "5.",
            "1e3", "1.5E-3", ".inf", "-.Inf", ".nan",
        ];
        for text in numbers {
            assert!(matches!(resolve(text), Value::Number(kept) if kept == text), "{text}");
        }
        for text in ["y", "Yes", "OFF", "true", "n"] {
            assert!(matches!(resolve(text), Value::Bool(kept) if kept == text), "{text}");
        }
        for text in ["", "~", "null"] {
            assert!(matches!(resolve(text), Value::Null), "{text}");
        }
        let texts = [
            "v1", "4.10.1", "e3", ".", "-", "+", "1e", "_1", "0xg", "é", "12é", "yEs", "1-2", "..5",
        ];
        for text in texts {
            assert!(matches!(resolve(text), Value::Text(kept) if kept == text), "{text}");
        }
    }
}
