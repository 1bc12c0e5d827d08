use std::borrow::Cow;

use crate::yaml::{push_index, push_key};

/// A document that is to be written: what there is, in the order in which it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tree {
    /// Text, which is quoted where it would be read as something else.
    Text(String),
    /// `true`, or a number.
    Word(String),
    List(Vec<Self>),
    Map(Vec<(Cow<'static, str>, Self)>),
}

impl Tree {
    pub(crate) fn text(text: &(impl ToString + ?Sized)) -> Self {
        Self::Text(text.to_string())
    }

    /// Visits the path of each part.
    pub(crate) fn each_path(&self, path: &str, visit: &mut impl FnMut(&str)) {
        visit(path);
        match self {
            Self::Map(fields) => {
                for (key, value) in fields {
                    let mut path = path.to_owned();
                    push_key(&mut path, key);
                    value.each_path(&path, visit);
                }
            }
            Self::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    let mut path = path.to_owned();
                    push_index(&mut path, i);
                    item.each_path(&path, visit);
                }
            }
            Self::Text(_) | Self::Word(_) => {}
        }
    }
}

/// A mapping while it is put together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(Cow<'static, str>, Tree)>);

impl Fields {
    #[must_use]
    pub(crate) fn with(
        mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl Into<Option<Tree>>,
    ) -> Self {
        self.0.extend(value.into().map(|value| (key.into(), value)));
        self
    }

    #[must_use]
    pub(crate) fn with_text(self, key: &'static str, text: &(impl ToString + ?Sized)) -> Self {
        self.with(key, Tree::text(text))
    }

    #[must_use]
    pub(crate) fn with_some(
        self,
        key: &'static str,
        text: Option<&(impl ToString + ?Sized)>,
    ) -> Self {
        self.with(key, text.map(Tree::text))
    }

    /// Adds a switch that is on.
    #[must_use]
    pub(crate) fn with_switch(self, key: &'static str, is_on: bool) -> Self {
        self.with(key, is_on.then(|| Tree::Word("true".to_owned())))
    }

    /// Adds a list that is not empty.
    #[must_use]
    pub(crate) fn with_list(self, key: &'static str, items: Vec<Tree>) -> Self {
        self.with(key, Some(items).filter(|items| !items.is_empty()).map(Tree::List))
    }

    /// Adds a mapping that is not empty.
    #[must_use]
    pub(crate) fn with_map(self, key: &'static str, fields: Self) -> Self {
        self.with(key, Some(fields.0).filter(|fields| !fields.is_empty()).map(Tree::Map))
    }

    pub(crate) fn done(self) -> Tree {
        Tree::Map(self.0)
    }
}
