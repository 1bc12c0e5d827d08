//! From text to a tree in which every value knows its line. The only module that knows the YAML
//! library.
//!
//! The tree is built of the parser's events, since a deserializer makes `4.1` of a label `4.10`.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, StrInput, Tag, options};

use super::fault::{TemplateFault, TemplateProblem, shown};
use crate::yaml::{self, Yaml};

/// Deepest nesting that is read. The deepest place that means something, in an affinity, is at 10.
const DEPTH_LIMIT: usize = 64;

/// Most KiB of text and structure, with aliases written out: an API server takes no object that
/// has more than 1.5 MiB.
const SIZE_LIMIT: usize = 1024;

/// What a value counts for in that, besides its text.
const VALUE_SIZE: usize = 16;

/// Longest key that is read, in bytes: a label's has a prefix of 253, a slash and 63. Beyond 1,024
/// characters a key has to be written in another way.
const KEY_MAX_LEN: usize = 317;

/// Name of the key whose value's entries become entries of the mapping it stands in.
const MERGE_KEY: &str = "<<";

/// A value, and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: u32,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Text, or what is written as it is.
    Scalar(Yaml),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

/// Reads the one document of `text`. One that is empty is nothing, in line 1.
pub(super) fn read(text: &str) -> Result<Node, TemplateFault> {
    let mut reader = Reader::default();
    for next in Parser::with_options(StrInput::new(text), parser_options()) {
        match next {
            Ok((event, span)) => {
                reader.line = line(span.start.line());
                reader.take(event)?;
            }
            Err(error) => {
                reader.line = line(error.marker().line());
                let message = shown(&error.info());
                return Err(reader.fault(TemplateProblem::Syntax { message }));
            }
        }
    }
    Ok(reader.root.unwrap_or_else(|| Node::null(1)))
}

fn parser_options() -> Options {
    options! {
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: DEPTH_LIMIT + 1,
        block_nesting_limit: DEPTH_LIMIT + 1,
    }
}

fn line(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX).max(1)
}

#[derive(Default)]
struct Reader {
    /// Collections that are open, the innermost last.
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    /// Where the reader is.
    line: u32,
    /// Bytes of what was read.
    size: usize,
}

/// A collection that is open.
struct Frame {
    line: u32,
    anchor: usize,
    open: Open,
}

enum Open {
    List(Vec<Node>),
    Map { entries: BTreeMap<String, Node>, key: Option<String>, merged: Vec<Node> },
}

type Done = Result<(), TemplateFault>;

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Done {
        let line = self.line;
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(text.len())?;
                let value = Value::Scalar(self.scalar(&text, style, tag.as_deref())?);
                self.complete(Node { line, value }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq")?;
                self.open(anchor, Open::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map")?;
                let (entries, key, merged) = (BTreeMap::new(), None, Vec::new());
                self.open(anchor, Open::Map { entries, key, merged })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Frame { line, anchor, open }) = self.frames.pop() else { return Ok(()) };
                let value = match open {
                    Open::List(items) => Value::List(items),
                    Open::Map { entries, merged, .. } => Value::Map(with_merged(entries, merged)),
                };
                self.complete(Node { line, value }, anchor)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.count_all(&node)?;
                    self.attach(node)
                }
                None => Err(self.fault(TemplateProblem::Alias)),
            },
            Event::UnresolvedAlias(_) => Err(self.fault(TemplateProblem::Alias)),
            _ => Ok(()),
        }
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
    ) -> Result<Yaml, TemplateFault> {
        let is_typed = yaml::is_typed(text);
        match tag.map(Tag::core_suffix) {
            None if style == ScalarStyle::Plain && is_typed => Ok(Yaml::Plain(text.to_owned())),
            None | Some(Some("str")) => Ok(Yaml::Text(text.to_owned())),
            Some(Some("null" | "bool" | "int" | "float")) if is_typed => {
                Ok(Yaml::Plain(text.to_owned()))
            }
            Some(_) => Err(self.fault(TemplateProblem::Tag)),
        }
    }

    /// Refuses a tag that says more than what the value is anyway.
    fn check_tag(&self, tag: Option<&Tag>, kind: &str) -> Done {
        match tag {
            Some(tag) if tag.core_suffix() != Some(kind) => Err(self.fault(TemplateProblem::Tag)),
            _ => Ok(()),
        }
    }

    fn open(&mut self, anchor: usize, open: Open) -> Done {
        if self.frames.len() == DEPTH_LIMIT {
            return Err(self.fault(TemplateProblem::TooDeep { limit: DEPTH_LIMIT }));
        }
        self.frames.push(Frame { line: self.line, anchor, open });
        self.count(0)
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Done {
        // Zero is the parser's word for none.
        if anchor != 0 {
            // What is kept to be repeated is counted as if it was.
            self.count_all(&node)?;
            self.anchors.insert(anchor, node.clone());
        }
        self.attach(node)
    }

    /// Puts a node where it belongs.
    fn attach(&mut self, node: Node) -> Done {
        match self.frames.last_mut().map(|frame| &mut frame.open) {
            None => self.attach_root(node),
            Some(Open::List(items)) => {
                items.push(node);
                Ok(())
            }
            Some(Open::Map { entries, key, merged }) => match key.take() {
                Some(key) if key == MERGE_KEY && node.is_mergeable() => {
                    merged.push(node);
                    Ok(())
                }
                Some(key) if key == MERGE_KEY => {
                    let (found, expected) = (node.found(), "a mapping, or a list of mappings");
                    Err(self.fault(TemplateProblem::Unexpected { found, expected }))
                }
                Some(key) => {
                    entries.insert(key, node);
                    Ok(())
                }
                None => self.begin_entry(&node),
            },
        }
    }

    fn attach_root(&mut self, node: Node) -> Done {
        match &self.root {
            Some(first) if !first.is_null() && !node.is_null() => {
                self.line = node.line;
                Err(self.fault(TemplateProblem::SeveralDocuments))
            }
            Some(_) if node.is_null() => Ok(()),
            _ => {
                self.root = Some(node);
                Ok(())
            }
        }
    }

    fn begin_entry(&mut self, node: &Node) -> Done {
        let text = match &node.value {
            Value::Scalar(Yaml::Text(text) | Yaml::Plain(text)) => text.clone(),
            _ => return Err(self.fault(TemplateProblem::Key)),
        };
        if text.len() > KEY_MAX_LEN || text.is_empty() || text.contains(char::is_control) {
            return Err(self.fault(TemplateProblem::Key));
        }
        let Some(Open::Map { entries, key, .. }) = self.frames.last_mut().map(|f| &mut f.open)
        else {
            return Ok(());
        };
        let first = entries.get(&text).map(|first| first.line);
        *key = Some(text);
        match first {
            Some(first) => Err(self.fault(TemplateProblem::Duplicate { first })),
            None => Ok(()),
        }
    }

    /// Counts a value with text of `len` bytes.
    fn count(&mut self, len: usize) -> Done {
        self.size = self.size.saturating_add(len).saturating_add(VALUE_SIZE);
        if self.size > SIZE_LIMIT << 10 {
            return Err(self.fault(TemplateProblem::TooLarge { limit: SIZE_LIMIT }));
        }
        Ok(())
    }

    /// Counts a whole tree, and sees that it is not too deep where it is put.
    fn count_all(&mut self, node: &Node) -> Done {
        let mut open = vec![(node, self.frames.len())];
        while let Some((node, depth)) = open.pop() {
            if depth > DEPTH_LIMIT {
                return Err(self.fault(TemplateProblem::TooDeep { limit: DEPTH_LIMIT }));
            }
            match &node.value {
                Value::Scalar(Yaml::Text(text) | Yaml::Plain(text)) => self.count(text.len())?,
                Value::Scalar(_) => self.count(0)?,
                Value::List(items) => {
                    self.count(0)?;
                    open.extend(items.iter().map(|item| (item, depth + 1)));
                }
                Value::Map(entries) => {
                    self.count(entries.keys().map(|key| key.len() + VALUE_SIZE).sum())?;
                    open.extend(entries.values().map(|value| (value, depth + 1)));
                }
            }
        }
        Ok(())
    }

    /// Returns a fault of what the reader is at.
    fn fault(&self, problem: TemplateProblem) -> TemplateFault {
        let mut field = String::new();
        for frame in &self.frames {
            match &frame.open {
                Open::List(items) => field.extend(["[", &items.len().to_string(), "]"]),
                Open::Map { key: Some(key), .. } => push_key(&mut field, key),
                Open::Map { key: None, .. } => {}
            }
        }
        TemplateFault { line: self.line, field, problem }
    }
}

fn push_key(field: &mut String, key: &str) {
    if !field.is_empty() {
        field.push('.');
    }
    field.push_str(&shown(key));
}

/// Returns the entries, and those of merged mappings whose keys are not there.
fn with_merged(mut entries: BTreeMap<String, Node>, merged: Vec<Node>) -> BTreeMap<String, Node> {
    let sources = merged.into_iter().flat_map(|node| match node.value {
        Value::List(sources) => sources,
        _ => vec![node],
    });
    for source in sources {
        let Value::Map(others) = source.value else { continue };
        for (key, value) in others {
            entries.entry(key).or_insert(value);
        }
    }
    entries
}

impl Node {
    fn null(line: u32) -> Self {
        Self { line, value: Value::Scalar(Yaml::Plain(String::new())) }
    }

    /// Whether it says nothing.
    pub(super) fn is_null(&self) -> bool {
        let Value::Scalar(Yaml::Plain(text)) = &self.value else { return false };
        matches!(text.as_str(), "" | "~") || text.eq_ignore_ascii_case("null")
    }

    /// Whether its entries can become those of another mapping.
    fn is_mergeable(&self) -> bool {
        let is_map = |node: &Self| matches!(node.value, Value::Map(_));
        match &self.value {
            Value::List(items) => items.iter().all(is_map),
            _ => is_map(self),
        }
    }

    /// Returns the text of a scalar, whatever it is.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(Yaml::Text(text) | Yaml::Plain(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns what a message calls it.
    pub(super) fn found(&self) -> String {
        match &self.value {
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
            Value::Scalar(_) if self.is_null() => "nothing".to_owned(),
            Value::Scalar(_) => format!("`{}`", shown(self.text().unwrap_or_default())),
        }
    }

    /// Returns the tree without its lines.
    pub(super) fn into_yaml(self) -> Yaml {
        if self.is_null() {
            return Yaml::Plain("null".to_owned());
        }
        match self.value {
            Value::Scalar(scalar) => scalar,
            Value::List(items) => Yaml::List(items.into_iter().map(Self::into_yaml).collect()),
            Value::Map(entries) => Yaml::Map(yaml_entries(entries)),
        }
    }
}

/// Returns entries without their lines.
pub(super) fn yaml_entries(entries: BTreeMap<String, Node>) -> BTreeMap<String, Yaml> {
    entries.into_iter().map(|(key, value)| (key, value.into_yaml())).collect()
}
