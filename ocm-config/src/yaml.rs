//! From text to [`Node`]s. The only module that knows the YAML library.
//!
//! Events of the parser are built into a tree here, rather than deserialized, since that way a
//! document is read on after a duplicate key or an unknown anchor, and no recursion depends on
//! what is in it.

mod diagnosis;

use std::{collections::BTreeMap, ops::Range, rc::Rc};

use serde_saphyr::granit_parser::{
    Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag, options,
};

use crate::{
    fault::{Code, Fault, Findings, Location, quoted},
    node::{Entry, Extent, Node, Place, Value},
    scalar,
};

/// Deepest nesting that is read. The deepest place that means something is at 12.
const DEPTH_LIMIT: usize = 64;

/// Most nodes that are walked, with aliases written out: a configuration with 5,000 packages
/// has about 50,000.
const NODE_LIMIT: usize = 1_000_000;

/// Most bytes of text, with aliases written out.
const TEXT_LIMIT: usize = 64 << 20;

/// Name of the key whose value's entries become entries of the mapping it stands in.
const MERGE_KEY: &str = "<<";

/// Reads the one document of `text`; `None` where there is none, or nothing of it can be used.
pub(crate) fn read(text: &str, findings: &mut Findings) -> Option<Rc<Node>> {
    let mut builder =
        Builder { findings, frames: Vec::new(), anchors: BTreeMap::new(), root: None };
    for next in Parser::with_options(StrInput::new(text), parser_options()) {
        match next {
            Ok((event, span)) => {
                if let Err(Stop) = builder.take(event, place(&span)) {
                    return None;
                }
            }
            Err(error) => {
                let fault = syntax_fault(&error, text, builder.path());
                // What was said of the line already is most probably why the next failed.
                builder.findings.add_unless_said(fault);
                return None;
            }
        }
    }
    builder.root
}

/// Returns where the scalars of a document are, in characters, in order.
pub(crate) fn scalars(text: &str) -> Vec<Range<usize>> {
    let events = Parser::with_options(StrInput::new(text), parser_options());
    let scalars = events.map_while(Result::ok).filter_map(|(event, span)| {
        let is_scalar = matches!(event, Event::Scalar(..));
        is_scalar.then(|| span.start.index()..span.end.index())
    });
    scalars.collect()
}

fn parser_options() -> Options {
    options! {
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: DEPTH_LIMIT + 1,
        block_nesting_limit: DEPTH_LIMIT + 1,
    }
}

/// Nothing after this would mean anything; the fault is among the findings.
struct Stop;

struct Builder<'f> {
    findings: &'f mut Findings,
    /// Collections that are open, the innermost last.
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
}

/// A collection that is open.
struct Frame {
    place: Place,
    anchor: usize,
    extent: Extent,
    open: Open,
}

enum Open {
    List(Vec<Rc<Node>>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    /// The keys, and where each is.
    keys: BTreeMap<String, Place>,
    merged: Vec<Rc<Node>>,
    next: Next,
}

/// What the next node of a mapping is.
#[derive(Default)]
enum Next {
    #[default]
    Key,
    Value(String, Place),
    Merge,
    /// The value of a key that was refused.
    Ignored,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Stop> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let extent = Extent { nodes: 1, bytes: text.len() };
                let value = self.scalar(&text, style, tag.as_deref(), place);
                self.complete(Node { place, value, extent }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", place);
                self.open(place, anchor, Open::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", place);
                self.open(place, anchor, Open::Map(OpenMap::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                if let Some(node) = self.anchors.get(&anchor).cloned() {
                    return self.attach(node);
                }
                let help = "write out what is meant".to_owned();
                self.dangling(place, "a value cannot contain itself", help)
            }
            Event::UnresolvedAlias(name) => {
                let message =
                    format!("nothing before this is called {}: `*` refers to it", quoted(&name));
                let written = quoted(&format!("\"*{name}\""));
                self.dangling(
                    place,
                    &message,
                    format!("quote it if it is meant as text: {written}"),
                )
            }
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, place: Place) -> Value {
        match tag.map(Tag::core_suffix) {
            None if style == ScalarStyle::Plain => scalar::resolve(text),
            None | Some(Some("str")) => Value::Text(text.to_owned()),
            Some(Some("null" | "bool" | "int" | "float")) => scalar::resolve(text),
            Some(_) => {
                self.check_tag(tag, "str", place);
                scalar::resolve(text)
            }
        }
    }

    /// Refuses a tag that says more than what the value is anyway.
    fn check_tag(&mut self, tag: Option<&Tag>, kind: &str, place: Place) {
        if tag.is_some_and(|tag| tag.core_suffix() != Some(kind)) {
            let message = "a tag of this sort means nothing here; expected a plain value";
            self.error(Code::WrongType, place, message);
        }
    }

    fn open(&mut self, place: Place, anchor: usize, open: Open) -> Result<(), Stop> {
        if self.frames.len() == DEPTH_LIMIT {
            return self.stop(place, &format!("nested more than {DEPTH_LIMIT} deep"));
        }
        let extent = Extent { nodes: 1, bytes: 0 };
        self.frames.push(Frame { place, anchor, extent, open });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(Frame { place, anchor, extent, open }) = self.frames.pop() else {
            return Ok(());
        };
        let value = match open {
            Open::List(items) => Value::List(items),
            Open::Map(map) => Value::Map(map.close()),
        };
        self.complete(Node { place, value, extent }, anchor)
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        let node = Rc::new(node);
        // Zero is the parser's word for none.
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.attach(node)
    }

    /// Puts a node where it belongs.
    fn attach(&mut self, node: Rc<Node>) -> Result<(), Stop> {
        let Some(frame) = self.frames.last_mut() else {
            return self.attach_root(node);
        };
        frame.extent = frame.extent.plus(node.extent);
        if frame.extent.nodes > NODE_LIMIT || frame.extent.bytes > TEXT_LIMIT {
            let message = format!(
                "with its aliases written out this is more than {NODE_LIMIT} values or \
                 {} MiB of text",
                TEXT_LIMIT >> 20
            );
            return self.stop(node.place, &message);
        }
        match &mut frame.open {
            Open::List(items) => {
                items.push(node);
                Ok(())
            }
            Open::Map(map) => match std::mem::take(&mut map.next) {
                Next::Key => {
                    let next = self.read_key(&node);
                    self.expect(next);
                    Ok(())
                }
                Next::Value(key, place) => {
                    map.entries.push(Entry { key, place, value: node });
                    Ok(())
                }
                Next::Merge => {
                    self.attach_merged(node);
                    Ok(())
                }
                Next::Ignored => Ok(()),
            },
        }
    }

    fn attach_root(&mut self, node: Rc<Node>) -> Result<(), Stop> {
        let Some(first) = &self.root else {
            self.root = Some(node);
            return Ok(());
        };
        if node.is_null() {
            return Ok(());
        }
        if first.is_null() {
            self.root = Some(node);
            return Ok(());
        }
        let location = location(node.place, String::new());
        let fault = Fault::error(
            Code::SeveralDocuments,
            location,
            "another document begins here; expected only one",
        );
        let help = "keep one document in a file; `---` begins the next one".to_owned();
        self.findings.add(fault.with_help(help));
        Err(Stop)
    }

    fn read_key(&mut self, node: &Rc<Node>) -> Next {
        let (Value::Bool(key) | Value::Number(key) | Value::Text(key)) = &node.value else {
            let message = format!("{} cannot be a key; expected text", node.sort());
            let is_braces = matches!(node.value, Value::Map(_));
            let help = is_braces.then(|| {
                "if these are braces of a template, fill it in first; if text begins with `{`, \
                 quote it"
                    .to_owned()
            });
            let location = location(node.place, self.path());
            self.findings.add(Fault::error(Code::WrongType, location, message).with_help(help));
            return Next::Ignored;
        };
        if key == MERGE_KEY {
            return Next::Merge;
        }
        let first = match self.frames.last_mut().map(|frame| &mut frame.open) {
            Some(Open::Map(map)) => map.keys.insert(key.clone(), node.place),
            _ => None,
        };
        let Some(first) = first else { return Next::Value(key.clone(), node.place) };
        let message = format!("{} is already there, in line {}", quoted(key), first.line);
        let mut path = self.path();
        push_key(&mut path, key);
        let fault = Fault::error(Code::DuplicateKey, location(node.place, path), message);
        self.findings.add(fault.with_help("expected once: make one of the two".to_owned()));
        Next::Ignored
    }

    fn attach_merged(&mut self, node: Rc<Node>) {
        let sources = match &node.value {
            Value::List(items) => items.clone(),
            _ => vec![node],
        };
        for source in sources {
            if !matches!(source.value, Value::Map(_)) {
                let message = format!("`<<` takes mappings, not {}", source.sort());
                self.error(Code::WrongType, source.place, &message);
            } else if let Some(Open::Map(map)) = self.frames.last_mut().map(|f| &mut f.open) {
                map.merged.push(source);
            }
        }
    }

    fn expect(&mut self, next: Next) {
        if let Some(Open::Map(map)) = self.frames.last_mut().map(|frame| &mut frame.open) {
            map.next = next;
        }
    }

    /// An alias of nothing: said, and then not missed.
    fn dangling(&mut self, place: Place, message: &str, help: String) -> Result<(), Stop> {
        let fault = Fault::error(Code::Syntax, location(place, self.path()), message);
        self.findings.add(fault.with_help(help));
        let extent = Extent { nodes: 1, bytes: 0 };
        self.attach(Rc::new(Node { place, value: Value::Broken, extent }))
    }

    fn error(&mut self, code: Code, place: Place, message: &str) {
        let path = self.path();
        self.findings.error(code, location(place, path), message);
    }

    fn stop(&mut self, place: Place, message: &str) -> Result<(), Stop> {
        self.error(Code::TooLarge, place, message);
        Err(Stop)
    }

    /// Returns the way to where the next node belongs.
    fn path(&self) -> String {
        let mut path = String::new();
        for frame in &self.frames {
            match &frame.open {
                Open::List(items) => push_index(&mut path, items.len()),
                Open::Map(OpenMap { next: Next::Value(key, _), .. }) => push_key(&mut path, key),
                Open::Map(_) => {}
            }
        }
        path
    }
}

impl OpenMap {
    /// Returns the entries, and those of merged mappings whose keys are not there.
    fn close(mut self) -> Vec<Entry> {
        for source in self.merged {
            let Value::Map(entries) = &source.value else { continue };
            for entry in entries {
                if self.keys.insert(entry.key.clone(), entry.place).is_none() {
                    self.entries.push(entry.clone());
                }
            }
        }
        self.entries
    }
}

/// Adds the position of an item to a path.
pub(crate) fn push_index(path: &mut String, index: usize) {
    path.extend(["[", &index.to_string(), "]"]);
}

/// Adds a key to a path; one that is no plain word is quoted and cut.
pub(crate) fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    let is_word = key.len() <= 80 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_word { path.push_str(key) } else { path.push_str(&quoted(key)) }
}

fn location(place: Place, path: String) -> Location {
    Location { path, line: place.line, column: place.column }
}

fn place(span: &Span) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: number(span.start.line()), column: number(span.start.col()).saturating_add(1) }
}

fn syntax_fault(error: &ScanError, text: &str, path: String) -> Fault {
    let place = place(&Span::empty(*error.marker()));
    let line = usize::try_from(place.line).unwrap_or(usize::MAX);
    let Some(diagnosis) = diagnosis::diagnose(error.kind(), text, line) else {
        let message = format!("this is not YAML: {}", error.info());
        return Fault::error(Code::Syntax, location(place, path), message).with_help(
            "the line, or one before it, lacks a colon, a quote or a bracket, or is indented \
             otherwise than its neighbours"
                .to_owned(),
        );
    };
    let location = match diagnosis.line {
        None => location(place, path),
        Some(line) => {
            let content = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
            let indent = content.len() - content.trim_start_matches(' ').len();
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let place = Place { line: number(line), column: number(indent.saturating_add(1)) };
            location(place, String::new())
        }
    };
    let message = format!("this is not YAML: {}", diagnosis.message);
    Fault::error(Code::Syntax, location, message).with_help(diagnosis.help)
}
