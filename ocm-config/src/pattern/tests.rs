use super::*;

fn pattern(written: &str) -> Pattern {
    written.parse().unwrap_or_else(|error: PatternError| panic!("{error}: {}", error.fault))
}

fn fault(written: &str) -> (PatternFault, usize) {
    let error = written.parse::<Pattern>().unwrap_err();
    assert_eq!(error.pattern, written);
    (error.fault, error.position)
}

/// Patterns, what they match and what they do not. The answers are those of Go's regexp.
#[test]
fn means_what_it_means_in_go() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("", &["", "a"], &[]),
        ("quay.io/a", &["quay.io/a:v1", "xquayxio/ab"], &["quay.io/b"]),
        (".*nvidia.*", &["quay.io/nvidia/gpu:1"], &["quay.io/NVIDIA/gpu:1"]),
        ("(?i)nvidia", &["quay.io/NVIDIA/gpu:1"], &[]),
        ("^quay\\.io/[^/]+$", &["quay.io/a"], &["quay.io/a/b", "xquay.io/a"]),
        ("a{", &["a{"], &["a"]),
        ("{name}", &["x{name}"], &["name"]),
        ("a{,3}", &["a{,3}"], &["aaa"]),
        ("^a{2}$", &["aa"], &["a", "a{2}"]),
        ("^a{02}$", &["a{02}"], &["aa"]),
        ("^a{1,}b{0,1}$", &["a", "aab"], &["b", "abb"]),
        ("\\Qa.b*\\E+$", &["a.b*", "a.b***"], &["axb"]),
        ("\\Qa.b", &["a.b"], &["axb"]),
        ("[[a]", &["[", "a"], &["b"]),
        ("^[[a]]$", &["a]", "[]"], &["a"]),
        ("^[a&&b]$", &["a", "&", "b"], &["&&"]),
        ("^[+--]$", &["+", ",", "-"], &["."]),
        ("^[]a]$", &["]", "a"], &["b"]),
        ("^[^]a]$", &["b"], &["]", "a"]),
        ("^[a-]$", &["a", "-"], &["b"]),
        ("^[a\\d-]$", &["a", "7", "-"], &["b", "٣"]),
        ("^[[:alpha:][:^ascii:]]$", &["a", "é"], &["1"]),
        ("^\\d$", &["7"], &["٣"]),
        ("^\\w$", &["a", "_"], &["é"]),
        ("^\\D\\W\\S$", &["éé٣"], &["7éé"]),
        ("a\\b", &["a", "aé", "a/b"], &["ab"]),
        ("\\Aa\\z", &["a"], &["a\n"]),
        ("^\\pL\\PL\\p{Lu}\\p{^Lu}$", &["é1Éé"], &["11Éé"]),
        ("^\\x41\\x{1F600}\\101\\a$", &["A😀A\u{7}"], &[]),
        ("\\<a\\>\\_", &["<a>_"], &["a"]),
        ("^(?P<host>a)(?<path>b)(?:c)(d)$", &["abcd"], &["abc"]),
        ("^(?s:.)(?)$", &["\n"], &[]),
        ("^.$", &["a"], &["\n"]),
        ("(?m:^b$)", &["a\nb\nc"], &[]),
        ("(?ii)A(?-i)b", &["ab", "Ab"], &["AB"]),
        ("a||b", &["", "x"], &[]),
    ];
    for (written, matched, unmatched) in table {
        let pattern = pattern(written);
        for text in *matched {
            assert!(pattern.matches(text), "{written} does not match {text:?}");
        }
        for text in *unmatched {
            assert!(!pattern.matches(text), "{written} matches {text:?}");
        }
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    assert_eq!(fault("a(").0, PatternFault::UnclosedGroup);
    assert_eq!(fault("a)b"), (PatternFault::UnopenedGroup, 2));
    assert_eq!(fault("*.foo"), (PatternFault::NothingToRepeat { operator: "*".into() }, 1));
    assert_eq!(fault("a|{2}"), (PatternFault::NothingToRepeat { operator: "{2}".into() }, 5));
    assert_eq!(fault("éa**"), (PatternFault::RepeatedRepetition { operator: "*".into() }, 4));
    assert_eq!(fault("a+?+").0, PatternFault::RepeatedRepetition { operator: "+".into() });
    assert_eq!(fault("a{1001}").0, PatternFault::Count { operator: "{1001}".into() });
    assert_eq!(fault("a{3,2}").0, PatternFault::Count { operator: "{3,2}".into() });
    assert_eq!(fault("a{99999999999}").0, PatternFault::Count { operator: "{99999999999}".into() });
    for flag in ["(?x)a", "(?=a)", "(?!a)", "(?<=a)", "(?P=n)", "(?-)", "(?P<a", "(?P<>a)", "(?"] {
        assert_eq!(fault(flag).0, PatternFault::GroupKind, "{flag}");
    }
    for class in ["[", "[a", "[]", "[^]", "[a-", "[\\d-a"] {
        assert_eq!(fault(class).0, PatternFault::UnclosedClass, "{class}");
    }
    assert_eq!(fault("[z-a]"), (PatternFault::Range { from: 'z', to: 'a' }, 4));
    assert_eq!(fault("[[:foo:]]").0, PatternFault::ClassName { name: "foo".into() });
    assert_eq!(fault("\\p{a b}").0, PatternFault::ClassName { name: "a b".into() });
    assert_eq!(fault("\\p").0, PatternFault::ClassName { name: String::new() });
    for escape in ["\\Z", "\\C", "\\1", "\\E", "\\é", "\\", "\\x4", "\\x{110000}", "\\xzz"] {
        assert!(matches!(fault(escape).0, PatternFault::Escape { .. }), "{escape}");
    }
}

fn limit(written: &str) -> String {
    match fault(written).0 {
        PatternFault::Limit { reason } => reason,
        fault => panic!("{fault}"),
    }
}

#[test]
fn memory_is_bounded() {
    assert!(limit("(\\pL{1000}){1000}").contains("memory"));
    assert!(!limit("\\p{Klingon}").contains('\n'));
    let names = (0..1000).map(|i| format!("registry.example.com/team/image-{i}:v1.{i}"));
    pattern(&names.collect::<Vec<_>>().join("|"));
    let mut memory = Allowance(4 << 20);
    let compiled = (0..1000).take_while(|_| memory.compile("\\pL{50}").is_ok()).count();
    assert!((1..40).contains(&compiled), "{compiled}");
    let mut memory = Allowance::default();
    for i in 0..100 {
        memory.compile(&format!("^registry.example.com/team/image-{i}$")).unwrap();
    }
    assert_eq!(memory.0, DOCUMENT_LIMIT - 100 * COMPILED_LIMITS[0]);
}

#[test]
fn hints_name_the_usual_mistake() {
    let hint = |written: &str| written.parse::<Pattern>().unwrap_err().hint();
    assert!(hint("*nvidia*").unwrap().contains(".*"));
    assert!(hint("(?!nvidia)").unwrap().contains("looking"));
    assert!(hint("a(").unwrap().contains('\\'));
    assert_eq!(hint("\\C"), None);
}
