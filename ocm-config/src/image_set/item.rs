use std::fmt;

use crate::{
    fault::{Code, Fault, Location},
    tree::Tree,
};

/// What can be wrong with one item of a list, such that the other items can still be mirrored.
pub trait Problem: std::error::Error + 'static {
    /// What the item is called: `image`.
    const ITEM: &'static str;

    /// Returns what to write instead, where that can be said.
    fn hint(&self) -> Option<String>;
}

/// One thing that is wrong with an item, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFault<P> {
    /// Where it stands in the configuration.
    pub location: Location,
    /// What is wrong.
    pub problem: P,
}

/// All that is wrong with one item; at least one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFaults<P> {
    faults: Vec<ItemFault<P>>,
    /// The item, which is written again as it is.
    written: Tree,
}

impl<P: Problem> ItemFault<P> {
    /// Returns what to write instead, where that can be said.
    pub fn hint(&self) -> Option<String> {
        self.problem.hint()
    }
}

impl<P> ItemFaults<P> {
    pub(crate) fn new(faults: Vec<ItemFault<P>>, written: Tree) -> Self {
        Self { faults, written }
    }

    /// Returns the item as it was read.
    pub(crate) fn written(&self) -> &Tree {
        &self.written
    }

    /// Returns the faults, in the order of the keys.
    pub fn iter(&self) -> std::slice::Iter<'_, ItemFault<P>> {
        self.faults.iter()
    }
}

impl<'a, P> IntoIterator for &'a ItemFaults<P> {
    type Item = &'a ItemFault<P>;
    type IntoIter = std::slice::Iter<'a, ItemFault<P>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<P: Problem> fmt::Display for ItemFault<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {}'s configuration at {} cannot be used", P::ITEM, self.location)
    }
}

impl<P: Problem> std::error::Error for ItemFault<P> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.problem)
    }
}

impl<P: Problem> fmt::Display for ItemFaults<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} is configured wrongly", P::ITEM)?;
        match self.faults.len() {
            1 => Ok(()),
            count => write!(f, " in {count} places"),
        }
    }
}

impl<P: Problem> std::error::Error for ItemFaults<P> {
    /// Returns the first of the faults.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.faults.first().map(|fault| fault as _)
    }
}

impl<P: Problem> From<&ItemFault<P>> for Fault {
    /// Makes of a fault of one item what a check of the whole document shows.
    fn from(fault: &ItemFault<P>) -> Self {
        let problem = &fault.problem;
        let mut message = problem.to_string();
        if let Some(source) = problem.source() {
            message = format!("{message}: {source}");
        }
        Self::error(Code::InvalidValue, fault.location.clone(), message).with_help(problem.hint())
    }
}

/// Returns what to do about text that was copied from a page and is not filled in.
pub(super) fn page_hint(text: &str) -> Option<String> {
    let between = |open: &str, close: &str| {
        let (_, rest) = text.split_once(open)?;
        let (name, _) = rest.split_once(close)?;
        Some(format!("replace `{open}{name}{close}` by what it stands for"))
    };
    let placeholder = [("<", ">"), ("{{", "}}"), ("${", "}")];
    if let Some(hint) = placeholder.iter().find_map(|(open, close)| between(open, close)) {
        return Some(hint);
    }
    let is_quote = |c: char| "“”„‘’«»".contains(c);
    text.contains(is_quote).then(|| "write plain quotes: these are a part of the text".to_owned())
}
