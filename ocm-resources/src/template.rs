use std::collections::BTreeMap;

use crate::{
    catalog_source::{API_VERSION, KIND},
    yaml::Yaml,
};

mod fault;
mod reader;

pub use fault::{TemplateError, TemplateFault, TemplateProblem};
use reader::{Node, Value};

/// Fields of `metadata` that a server fills in. An object that says them is refused, or taken for
/// another than the one that is there.
///
/// Source: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/>.
const OF_THE_SERVER: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Where an API server takes nothing but text: what is there without quotes, `true` or `4.10`, is
/// meant as the text that it is. `*` is any key, or any item.
const TEXTS: [&[&str]; 16] = [
    &["metadata", "annotations", "*"],
    &["metadata", "labels", "*"],
    &["spec", "address"],
    &["spec", "description"],
    &["spec", "displayName"],
    &["spec", "grpcPodConfig", "extractContent", "*"],
    &["spec", "grpcPodConfig", "nodeSelector", "*"],
    &["spec", "grpcPodConfig", "priorityClassName"],
    &["spec", "grpcPodConfig", "tolerations", "*", "effect"],
    &["spec", "grpcPodConfig", "tolerations", "*", "key"],
    &["spec", "grpcPodConfig", "tolerations", "*", "operator"],
    &["spec", "grpcPodConfig", "tolerations", "*", "value"],
    &["spec", "icon", "*"],
    &["spec", "publisher"],
    &["spec", "secrets", "*"],
    &["spec", "updateStrategy", "registryPoll", "interval"],
];

/// What somebody wants the `CatalogSource` of a catalog to say besides what it must: a name to
/// show, how often to look for news, where its pod may run (`targetCatalogSourceTemplate`).
///
/// All of it is kept, known or not, with numbers as they are written. Name, namespace, image and
/// source type are not the template's to say, nor what a server fills in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    pub(crate) annotations: BTreeMap<String, Yaml>,
    /// What else is in `metadata`.
    pub(crate) metadata: BTreeMap<String, Yaml>,
    pub(crate) spec: BTreeMap<String, Yaml>,
    /// What is beside those two.
    pub(crate) rest: BTreeMap<String, Yaml>,
    left_out: Vec<String>,
}

impl Template {
    /// Reads the template in `file`, whose content is `bytes`. The name is for messages only.
    ///
    /// # Errors
    ///
    /// [`TemplateError`], where it is no YAML, or none of a `CatalogSource` for an image.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, TemplateError> {
        let error = |faults| TemplateError { file: file.to_owned(), faults };
        let text = std::str::from_utf8(bytes).map_err(|fault| {
            let valid = bytes.get(..fault.valid_up_to()).unwrap_or_default();
            let line = valid.split(|byte| *byte == b'\n').count();
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            let problem = TemplateProblem::Encoding;
            error(vec![TemplateFault { line, field: String::new(), problem }])
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let root = reader::read(text).map_err(|fault| error(vec![fault]))?;
        let mut checker = Checker { faults: Vec::new() };
        let template = checker.template(root);
        if checker.faults.is_empty() { Ok(template) } else { Err(error(checker.faults)) }
    }

    /// Returns the fields that are the server's to fill in, and were left out: `metadata.uid`.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

/// Finds all that is wrong with a template.
struct Checker {
    faults: Vec<TemplateFault>,
}

type Entries = BTreeMap<String, Node>;

impl Checker {
    fn template(&mut self, root: Node) -> Template {
        let line = root.line;
        let Some(mut root) = self.mapping("", Some(root)) else { return Template::default() };
        self.must_be(("apiVersion", API_VERSION), line, root.remove("apiVersion"));
        self.must_be(("kind", KIND), line, root.remove("kind"));
        let mut metadata = self.mapping("metadata", root.remove("metadata")).unwrap_or_default();
        let annotations = self
            .mapping("metadata.annotations", metadata.remove("annotations"))
            .unwrap_or_default();
        if let Some(labels) = metadata.get("labels") {
            self.is_mapping("metadata.labels", labels);
        }
        let spec = self.mapping("spec", root.remove("spec")).unwrap_or_default();
        self.may_only_be("spec.sourceType", &["", "grpc"], spec.get("sourceType"));
        self.may_only_be("spec.configMap", &[""], spec.get("configMap"));
        let mut left_out = Vec::new();
        for key in OF_THE_SERVER {
            leave_out(&mut metadata, key, "metadata.", &mut left_out);
        }
        leave_out(&mut root, "status", "", &mut left_out);
        let mut template = Template {
            annotations: reader::yaml_entries(annotations),
            metadata: reader::yaml_entries(metadata),
            spec: reader::yaml_entries(spec),
            rest: reader::yaml_entries(root),
            left_out,
        };
        template.keep_texts();
        template
    }

    /// Returns the entries of a mapping, none where there is nothing; `None` if it is no mapping.
    fn mapping(&mut self, field: &str, node: Option<Node>) -> Option<Entries> {
        match node {
            Some(node) if node.is_null() => Some(Entries::new()),
            Some(Node { value: Value::Map(entries), .. }) => Some(entries),
            None => Some(Entries::new()),
            Some(node) => {
                self.is_mapping(field, &node);
                None
            }
        }
    }

    fn is_mapping(&mut self, field: &str, node: &Node) {
        if !node.is_null() && !matches!(node.value, Value::Map(_)) {
            self.unexpected(field, node, "a mapping");
        }
    }

    fn must_be(&mut self, (field, expected): (&str, &'static str), line: u32, node: Option<Node>) {
        match node {
            Some(node) if node.text() == Some(expected) => {}
            Some(node) => self.unexpected(field, &node, expected),
            None => {
                let problem = TemplateProblem::Missing { expected };
                self.faults.push(TemplateFault { line, field: field.to_owned(), problem });
            }
        }
    }

    /// Checks a field for a few texts, of which the last is the one to be expected.
    fn may_only_be(&mut self, field: &str, texts: &[&'static str], node: Option<&Node>) {
        let Some(node) = node else { return };
        let is_fine = node.is_null() || node.text().is_some_and(|text| texts.contains(&text));
        if !is_fine {
            let expected = texts.last().copied().filter(|text| !text.is_empty());
            self.unexpected(field, node, expected.unwrap_or("nothing"));
        }
    }

    fn unexpected(&mut self, field: &str, node: &Node, expected: &'static str) {
        let problem = TemplateProblem::Unexpected { found: node.found(), expected };
        self.faults.push(TemplateFault { line: node.line, field: field.to_owned(), problem });
    }
}

/// Takes out a field that is the server's, and notes it if it says anything.
fn leave_out(entries: &mut Entries, key: &str, before: &str, left_out: &mut Vec<String>) {
    let Some(node) = entries.remove(key) else { return };
    let is_empty = match &node.value {
        Value::Map(entries) => entries.is_empty(),
        _ => node.is_null(),
    };
    if !is_empty {
        left_out.push(format!("{before}{key}"));
    }
}

impl Template {
    fn keep_texts(&mut self) {
        for path in TEXTS {
            match path {
                ["metadata", "annotations", rest @ ..] => keep_texts(&mut self.annotations, rest),
                ["metadata", rest @ ..] => keep_texts(&mut self.metadata, rest),
                ["spec", rest @ ..] => keep_texts(&mut self.spec, rest),
                _ => {}
            }
        }
    }
}

/// Makes text of the values that `path` leads to, but for those that say nothing.
fn keep_texts(entries: &mut BTreeMap<String, Yaml>, path: &[&str]) {
    let Some((key, rest)) = path.split_first() else { return };
    for (_, value) in entries.iter_mut().filter(|(name, _)| *key == "*" || name == key) {
        keep_text(value, rest);
    }
}

fn keep_text(value: &mut Yaml, rest: &[&str]) {
    match (&mut *value, rest) {
        (Yaml::Plain(text), []) if text != "null" => *value = Yaml::Text(std::mem::take(text)),
        (Yaml::Map(entries), _) => keep_texts(entries, rest),
        (Yaml::List(items), ["*", rest @ ..]) => {
            for item in items {
                keep_text(item, rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
