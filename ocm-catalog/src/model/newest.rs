use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Bundle, Channel, Package, object::properties};
use crate::{
    channel_graph::{ChannelGraph, GraphFaults},
    fbc::{Members, ObjectFault},
};

/// The property of a bundle that says what people are shown of it.
const METADATA: &str = "olm.csv.metadata";

impl Channel {
    /// Returns the name of its head: what is installed by somebody who asks for nothing else.
    ///
    /// # Errors
    ///
    /// When there is no such entry, or several.
    pub fn head(&self) -> Result<&str, GraphFaults> {
        let graph = ChannelGraph::of(&self.entries)?;
        Ok(self.entries.name(graph.head()))
    }
}

impl Package {
    /// Returns what people are shown as its name: what its bundle of the highest version says, if
    /// that says anything that can be read.
    pub fn display_name(&self) -> Option<String> {
        let newest = self.bundles.values().max_by_key(|bundle| bundle.version())?;
        display_name(newest).ok()?
    }
}

fn display_name(bundle: &Bundle) -> Result<Option<String>, ObjectFault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata<'a> {
        #[serde(borrow)]
        display_name: Option<Cow<'a, str>>,
    }
    let json = bundle.body.json()?;
    let members = Members::of(&json).map_err(ObjectFault::Json)?;
    let properties = properties(&members)?;
    let metadata = properties.iter().find(|property| property.kind == METADATA);
    let value = metadata.and_then(|property| property.value).map_or("{}", RawValue::get);
    let metadata: Metadata<'_> = serde_json::from_str(value)
        .map_err(|source| ObjectFault::Part { key: "properties", source })?;
    Ok(metadata.display_name.map(Cow::into_owned).filter(|name| !name.is_empty()))
}
