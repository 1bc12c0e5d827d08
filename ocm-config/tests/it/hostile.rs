//! Documents that want more than a configuration needs.

use std::fmt::Write as _;

use ocm_config::Code;
use proptest::prelude::*;

use crate::{HEADER, refused};

fn only_error(document: &str) -> (Code, String) {
    let faults = refused(document);
    let [fault] = faults.as_slice() else { panic!("{faults:#?}") };
    (fault.code, fault.message.clone())
}

#[test]
fn size_is_bounded() {
    let document = "#".repeat((16 << 20) + 1);
    assert_eq!(only_error(&document).0, Code::TooLarge);
    assert_eq!(only_error(document.strip_prefix('#').unwrap()).0, Code::Empty);
}

#[test]
fn depth_is_bounded() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        for depth in [70, 200_000] {
            let document =
                format!("{HEADER}mirror: {}{}\n", open.repeat(depth), close.repeat(depth));
            let (code, message) = only_error(&document);
            assert!(matches!(code, Code::TooLarge | Code::Syntax), "{message}");
        }
    }
    let mut block = format!("{HEADER}mirror:\n");
    for depth in 1..300 {
        writeln!(block, "{}a:", " ".repeat(depth)).unwrap();
    }
    assert_eq!(only_error(&block).0, Code::TooLarge);
}

/// A billion values in eleven lines.
#[test]
fn aliases_of_aliases_are_counted_as_if_written_out() {
    let mut document = format!("{HEADER}mirror:\n  a0: &a0 [x]\n");
    for i in 1..=10 {
        let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
        writeln!(document, "  a{i}: &a{i} [{aliases}]").unwrap();
    }
    assert_eq!(only_error(&document).0, Code::TooLarge);
}

/// A long text that is repeated by aliases, not by the file.
#[test]
fn text_is_counted_as_if_written_out() {
    let text = "x".repeat(1 << 20);
    let images = "  - *big\n".repeat(100);
    let document =
        format!("{HEADER}mirror:\n  additionalImages:\n  - &big\n    name: {text}\n{images}");
    assert_eq!(only_error(&document).0, Code::TooLarge);
}

/// One anchor that many use is no attack.
#[test]
fn two_thousand_uses_of_one_anchor_are_fine() {
    let images = "  - {name: q.io/a:1, platforms: *all}\n".repeat(2000);
    let document = format!(
        "{HEADER}mirror:\n  additionalImages:\n  - name: q.io/b:1\n    \
         platforms: &all [{{os: linux, architecture: amd64}}]\n{images}"
    );
    let parsed = ocm_config::parse(document.as_bytes()).unwrap();
    assert_eq!(parsed.image_set.mirror.additional_images.len(), 2001);
}

#[test]
fn faults_are_counted_beyond_those_that_are_kept() {
    let mut document = format!("{HEADER}mirror:\n");
    for i in 0..2000 {
        writeln!(document, "  unknown{i}: 1").unwrap();
    }
    let faults = ocm_config::parse(document.as_bytes()).unwrap_err();
    assert_eq!(faults.as_slice().len() + faults.omitted(), 2000);
    assert!(faults.as_slice().len() < 1000);
    assert!(faults.to_string().contains("2000 errors"), "{faults}");
}

#[test]
fn messages_repeat_little_and_nothing_that_a_terminal_obeys() {
    let key = format!("\"\\e[31m{}\": 1", "k".repeat(500));
    let faults = refused(format!("{HEADER}mirror:\n  {key}\n"));
    for fault in &faults {
        assert!(!fault.to_string().contains(char::is_control), "{fault:?}");
        assert!(fault.to_string().len() < 500, "{fault}");
    }
    let faults =
        refused(format!("{HEADER}mirror:\n  additionalImages:\n  - \"\\e{}\"\n", "n".repeat(5000)));
    let help = faults[0].help.as_ref().unwrap();
    assert!(help.chars().count() < 500 && !help.contains(char::is_control), "{help}");
}

/// Bytes that are nearly a configuration find more than bytes that are nothing.
fn nearly() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("kind: ImageSetConfiguration"),
        Just("apiVersion: mirror.openshift.io/v2alpha1"),
        Just("mirror:"),
        Just("additionalImages:"),
        Just("blockedImages:"),
        Just("name: "),
        Just("targetTag: "),
        Just("platforms: "),
        Just("archiveSize: "),
        Just("- "),
        Just("quay.io/a/b:1"),
        Just("a(*"),
        Just("&a "),
        Just("*a"),
        Just("<<: "),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(", "),
        Just("\n"),
        Just("\n  "),
        Just("\n    "),
        Just("\t"),
        Just("|\n"),
        Just("'"),
        Just("\""),
        Just("#"),
        Just("---\n"),
        Just("!!int "),
        Just("~"),
        Just("é"),
        Just("\u{feff}"),
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        let parsed = ocm_config::parse(&bytes);
        prop_assert!(parsed.is_ok() || !parsed.unwrap_err().as_slice().is_empty());
    }

    #[test]
    fn nothing_that_is_nearly_a_configuration_panics(text in nearly()) {
        if let Err(faults) = ocm_config::parse(text.as_bytes()) {
            for fault in &faults {
                let lines = u32::try_from(text.split('\n').count()).unwrap();
                prop_assert!((1..=lines).contains(&fault.location.line), "{fault}");
                prop_assert!(fault.location.column >= 1, "{fault}");
                prop_assert!(!fault.to_string().contains(char::is_control), "{fault}");
            }
        }
    }
}
