use super::*;

/// Reads `b<a{x,y}`: entry b, which replaces a and skips x and y.
fn entries(text: &str) -> Entries {
    let entry = |text: &str| {
        let (text, skips) = text.split_once('{').unwrap_or((text, "}"));
        let (name, replaces) = text.split_once('<').unwrap_or((text, ""));
        let skips: Vec<_> =
            skips.trim_end_matches('}').split(',').filter(|skip| !skip.is_empty()).collect();
        serde_json::json!({ "name": name, "replaces": replaces, "skips": skips })
    };
    let list: Vec<_> = text.split_whitespace().map(entry).collect();
    serde_json::from_value(list.into()).unwrap()
}

fn faults(text: &str) -> Vec<String> {
    let entries = entries(text);
    let faults = ChannelGraph::of(&entries).unwrap_err();
    faults.faults().iter().map(ToString::to_string).collect()
}

/// Returns the chain from the head on.
fn chain(text: &str) -> String {
    let entries = entries(text);
    let graph = ChannelGraph::of(&entries).unwrap();
    graph.chain().into_iter().map(|name| entries.name(name)).collect::<Vec<_>>().join(" ")
}

#[test]
fn chains() {
    assert_eq!(chain("a"), "a");
    assert_eq!(chain("c<b b<a a"), "c b a");
    assert_eq!(chain("a b<a c<b{x} x<a"), "c b a");
    assert_eq!(chain("b<gone"), "b gone");
    assert_eq!(chain("c{a,b} b<a a"), "c");
    assert_eq!(chain("b<a{a} a"), "b a", "replaced and skipped at once");
}

#[test]
fn what_is_no_channel() {
    for (text, expected) in [
        ("", "it has no entries"),
        ("1.0.0 2.0.0", "it has several heads: `1.0.0`, `2.0.0`"),
        ("1.1.0<1.0.0 1.0.0 2.1.0<2.0.0 2.0.0", "it has several heads: `1.1.0`, `2.1.0`"),
        ("1.1.0<1.0.0 1.2.0<1.0.0 1.0.0", "it has several heads: `1.1.0`, `1.2.0`"),
        ("b1<b0 b0<b1", "it has no head: every entry is replaced or skipped by another"),
        ("b<b", "entry `b` replaces itself"),
        ("b{b}", "entry `b` skips itself"),
        ("b<a a a", "entry `a` is there twice"),
        ("b b", "entry `b` is there twice"),
        (
            "1.0.0<1.2.0 1.1.0<1.0.0 1.2.0<1.1.0 1.3.0<1.2.0",
            "there is a cycle in it: `1.0.0`, `1.1.0`, `1.2.0`",
        ),
        ("h a{b} b{a}", "there is a cycle in it: `a`, `b`"),
        ("1 2 3 4 5 6 7", "it has several heads: `1`, `2`, `3`, `4`, `5` and 2 more"),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
    assert_eq!(
        faults("b<b{b} b a"),
        [
            "entry `b` is there twice",
            "entry `b` replaces itself",
            "entry `b` skips itself",
            "it has several heads: `a`, `b`",
        ]
    );
}

#[test]
fn entries_are_read_as_olm_reads_them() {
    let text = r#"[{"Name": "b", "replaces": null, "skips": null, "skipRange": "<1.0.0", "x": {}},
                   {"skips": ["b", "\u0061"], "name": "c", "skips": ["b"]}]"#;
    let entries: Entries = serde_json::from_str(text).unwrap();
    let edges = |name: &str| {
        let edges = entries.get(name).unwrap();
        (edges.replaces(), edges.skips().collect::<Vec<_>>(), edges.skip_range())
    };
    assert_eq!(edges("b"), (None, vec![], Some("<1.0.0")));
    assert_eq!(edges("c"), (None, vec!["b"], None), "the last of several keys counts");
    assert!(entries.get("a").is_none());
    assert!(serde_json::from_str::<Entries>("null").unwrap().is_empty());
    for text in [r#"[{"skips": []}]"#, r#"[{"name": 1}]"#, "[1]", "{}"] {
        assert!(serde_json::from_str::<Entries>(text).is_err(), "{text}");
    }
}

#[test]
fn only_some_entries() {
    let all = entries("c<b{x} b<a a");
    let kept = all.only(|nth| nth != 1);
    assert_eq!(kept.names().collect::<Vec<_>>(), ["c", "a"]);
    assert_eq!(kept, entries("c<b{x} a"));
}
