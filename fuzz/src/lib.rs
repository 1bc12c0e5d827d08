//! What several targets hold their findings to.

use std::{fmt::Debug, sync::LazyLock};

use ocm_config::Fault;
use regex::Regex;

static LOCATION: LazyLock<Regex> = LazyLock::new(|| {
    let text = r#"Location \{ path: "(\\.|[^"\\])*", line: \d+, column: \d+ \}"#;
    Regex::new(text).expect("the pattern is one")
});

/// Returns everything that a configuration says, without where it stands.
pub fn meaning(document: &impl Debug) -> String {
    LOCATION.replace_all(&format!("{document:?}"), "-").into_owned()
}

/// Holds faults to places inside of the document, and to words that no terminal obeys.
pub fn check_places(bytes: &[u8], faults: &[Fault]) {
    // A carriage return ends a line, too, and at worst is half of such an end.
    let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count();
    for fault in faults {
        let line = usize::try_from(fault.location.line).expect("it has 32 bits");
        assert!((1..=lines).contains(&line), "{fault}");
        assert!(fault.location.column >= 1, "{fault}");
        let help = fault.help.as_deref().unwrap_or_default();
        assert!(!fault.to_string().contains(char::is_control), "{fault}");
        assert!(!help.contains(char::is_control), "{help}");
    }
}
