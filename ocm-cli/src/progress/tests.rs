use ocm_oci::Digest;
use serde_json::{Value, json};

use super::*;
use crate::{
    args::{LogFormat, LogLevel},
    console::{
        Colour, Status,
        tests::{Desk, Screen, desk},
    },
};

const MIB: u64 = 1 << 20;

/// Two images of two layers, one of which they share, on their way to a registry; a third cannot
/// be had.
fn plan() -> Arc<Plan> {
    let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
    let place = json!({ "registry": "quay.io" });
    let blob = |wanted_by: &[u32], repository: &str, mebibytes: u64| {
        let sources = [json!({ "place": place, "repository": repository })];
        json!({ "size": mebibytes * MIB, "sources": sources, "wanted_by": wanted_by })
    };
    let manifest = |blobs: &[&str]| {
        let blobs: Vec<_> = blobs.iter().map(|name| digest(name)).collect();
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        json!({ "size": 500, "media_type": media_type, "children": [], "blobs": blobs })
    };
    let image = |root: &str, repository: &str| {
        let names = [json!({ "origin": format!("quay.io/{repository}:v1"), "tag": "v1" })];
        json!({
            "root": digest(root), "repository": format!("ns/{repository}"), "names": names,
            "tags": ["v1"], "kind": "additional", "needs": []
        })
    };
    let lost = failure("quay.io/no/such:v1", "could not look up `v1` in quay.io/no/such");
    let plan = json!({
        "version": 1,
        "destination": { "registry": "mirror.example:5000" },
        "places": [place],
        "manifests": { digest("a"): manifest(&["base", "top a"]), digest("b"): manifest(&["base", "top b"]) },
        "blobs": {
            digest("base"): blob(&[0, 1], "team/a", 30),
            digest("top a"): blob(&[0], "team/a", 10),
            digest("top b"): blob(&[1], "team/b", 20)
        },
        "images": [image("a", "team/a"), image("b", "team/b")],
        "present": [],
        "lost": [{ "kind": "additional", "failure": lost }]
    });
    Arc::new(serde_json::from_value(plan).unwrap())
}

fn failure(image: &str, what: &str) -> Value {
    let chain = [what, "nothing of that name is there"];
    json!({ "code": "not_found", "side": "source", "image": image, "chain": chain, "hint": null })
}

fn event(value: Value) -> Event {
    serde_json::from_value(value).unwrap()
}

/// What happens, and after how many milliseconds.
fn story() -> Vec<(u64, Event)> {
    let plan = plan();
    let blob = |name: &str| Digest::of(name.as_bytes());
    let lost = json!({ "event": "lost", "kind": "additional", "failure": &plan.lost()[0].failure });
    let began = json!({
        "event": "began", "version": 1, "plan": plan.name(),
        "expected": { "additional": 3 }, "bytes": 60 * MIB
    });
    let progress = |repository: &str, name: &str, (bytes, size): (u64, u64)| {
        let (bytes, size) = (bytes * MIB, size * MIB);
        json!({
            "event": "progress", "repository": repository, "blob": blob(name),
            "bytes": bytes, "size": size
        })
    };
    let settled = |repository: &str, name: &str, how: Value| json!({ "event": "blob", "repository": repository, "blob": blob(name), "how": how });
    let copied = |mebibytes: u64| json!({ "copied": { "bytes": mebibytes * MIB } });
    let ended = |image: u32, outcome: Value| {
        let names = 1;
        json!({
            "event": "image", "image": image, "kind": "additional", "names": names,
            "outcome": outcome
        })
    };
    let broke = failure("quay.io/team/b:v1", "could not push `v1` to mirror.example:5000");
    [
        (0, began),
        (0, lost),
        (1_000, progress("ns/team/a", "base", (10, 30))),
        (1_200, progress("ns/team/a", "top a", (1, 10))),
        (2_000, progress("ns/team/a", "base", (20, 30))),
        (3_000, settled("ns/team/a", "base", copied(30))),
        (3_100, settled("ns/team/b", "base", json!("mounted"))),
        (4_000, settled("ns/team/a", "top a", copied(10))),
        (4_100, ended(0, json!("done"))),
        (11_000, progress("ns/team/b", "top b", (5, 20))),
        (12_000, settled("ns/team/b", "top b", copied(20))),
        (12_500, ended(1, json!({ "failed": broke }))),
    ]
    .into_iter()
    .map(|(when, what)| (when, event(what)))
    .collect()
}

fn watch(console: &mut Console, mut each: impl FnMut(u64, &Progress)) {
    let mut progress = Progress::new(plan(), "out".to_owned());
    for (when, what) in story() {
        progress.on(&what, Duration::from_millis(when), console);
        each(when, &progress);
    }
}

#[test]
fn without_a_terminal_there_are_lines() {
    let Desk { mut console, err, .. } = desk(LogLevel::Info, LogFormat::Text, Colour::Never);
    watch(&mut console, |_, _| {});
    insta::assert_snapshot!(err.text());
}

#[test]
fn machines_are_told_the_same_in_objects() {
    let Desk { mut console, out, .. } = desk(LogLevel::Debug, LogFormat::Json, Colour::Never);
    watch(&mut console, |_, _| {});
    for line in out.text().lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        assert!(object["event"].is_string() && object["time"].is_string(), "{line}");
    }
    insta::assert_snapshot!(out.text());
}

/// Draws everything that a terminal shows, one picture after the other.
fn pictures(colour: Colour) -> String {
    let Desk { mut console, .. } = desk(LogLevel::Info, LogFormat::Text, colour);
    let mut pictures = Vec::new();
    watch(&mut console, |when, progress| {
        let frame = progress.frame(Duration::from_millis(when), (100, colour));
        pictures.push(format!("after {when} ms\n{}\n", frame.join("\n")));
    });
    pictures.join("\n")
}

#[test]
fn a_terminal_shows_where_things_are() {
    insta::assert_snapshot!(pictures(Colour::Never));
}

#[test]
fn colours_change_nothing_else() {
    let coloured = pictures(Colour::Always);
    assert_eq!(console::strip_ansi_codes(&coloured), pictures(Colour::Never));
    insta::assert_snapshot!(coloured.replace('\u{1b}', "␛"));
}

#[test]
fn a_narrow_terminal_cuts_and_never_wraps() {
    let Desk { mut console, .. } = desk(LogLevel::Info, LogFormat::Text, Colour::Never);
    watch(&mut console, |when, progress| {
        for line in progress.frame(Duration::from_millis(when), (40, Colour::Always)) {
            assert!(console::measure_text_width(&line) < 40, "{line}");
        }
    });
}

#[test]
fn many_blobs_are_not_all_shown() {
    let mut progress = Progress::new(plan(), String::new());
    for n in 0..9_u8 {
        let at = ("ns/team/a".parse().unwrap(), Digest::of(&[n]));
        progress.advance(at, 1, 2);
    }
    let frame = progress.frame(Duration::ZERO, (80, Colour::Never));
    assert_eq!(frame.len(), 6);
    assert_eq!(frame.last().unwrap(), "  and 5 more");
}

#[test]
fn the_terminal_is_drawn_on_and_left_clean() {
    let Desk { console, err, .. } = desk(LogLevel::Info, LogFormat::Text, Colour::Never);
    let screen = Screen::default();
    let mut console = console.with_status(Status::on(Box::new(screen.clone()), 80));
    let mut most = 0;
    watch(&mut console, |_, _| most = most.max(screen.text().lines().count()));
    assert_eq!(most, 4, "an empty line, the headline and two blobs");
    assert!(screen.text().contains("3/3 images · 2 failed"), "{}", screen.text());
    assert!(!err.text().contains("images, "), "no summaries where there are bars: {}", err.text());
    console.clear();
    assert_eq!(screen.text(), "");
}

#[test]
fn stopwatches_show_hours_only_when_there_are_some() {
    for (seconds, shown) in [(0, "0:00"), (65, "1:05"), (3_599, "59:59"), (3_661, "1:01:01")] {
        assert_eq!(clock_time(Duration::from_secs(seconds)), shown);
    }
    assert_eq!(stopwatch(Duration::from_millis(1_940)), "1.9 s");
    assert_eq!(stopwatch(Duration::from_secs(61)), "1:01");
}
