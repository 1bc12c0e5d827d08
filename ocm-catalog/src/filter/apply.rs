use std::{collections::BTreeSet, sync::Arc};

use super::{decide::Decision, error::FilterError};
use crate::{
    fbc::ObjectFault,
    model::{Channel, Definition, Deprecated, Deprecations, Package},
};

/// Takes everything out of a package that is not to remain. What stays whole stays as it is.
pub(super) fn apply(
    name: &str,
    package: &Package,
    decision: &Decision,
) -> Result<Package, FilterError> {
    let rewrite = |object: String| move |fault| FilterError::Rewrite { object, fault };
    let mut left = Package { others: package.others.clone(), ..Package::default() };
    for (channel_name, is_kept) in &decision.channels {
        let Some(channel) = package.channels.get(channel_name) else { continue };
        let channel = with_entries(channel, is_kept)
            .map_err(rewrite(format!("channel `{channel_name}` of package `{name}`")))?;
        left.channels.insert(channel_name.clone(), channel);
    }
    let entries = left.channels.values().flat_map(|channel| channel.entries.names());
    let kept: BTreeSet<&str> = entries.collect();
    let bundles = package.bundles.iter().filter(|(name, _)| kept.contains(name.as_str()));
    left.bundles = bundles.map(|(name, bundle)| (name.clone(), Arc::clone(bundle))).collect();
    for deprecations in &package.deprecations {
        let deprecations = with_deprecated(deprecations, &left)
            .map_err(rewrite(format!("the deprecations of package `{name}`")))?;
        left.deprecations.push(deprecations);
    }
    let definition = package.definition.as_ref();
    left.definition = definition
        .map(|definition| with_default(definition, &decision.default_channel))
        .transpose()
        .map_err(rewrite(format!("package `{name}`")))?;
    Ok(left)
}

fn with_default(definition: &Arc<Definition>, name: &str) -> Result<Arc<Definition>, ObjectFault> {
    if definition.default_channel == name {
        return Ok(Arc::clone(definition));
    }
    let body = definition.body.with_text("defaultChannel", name)?;
    Ok(Arc::new(Definition { default_channel: name.to_owned(), body }))
}

fn with_entries(channel: &Arc<Channel>, is_kept: &[bool]) -> Result<Arc<Channel>, ObjectFault> {
    if is_kept.iter().all(|kept| *kept) {
        return Ok(Arc::clone(channel));
    }
    let is_kept = |nth| is_kept.get(nth) == Some(&true);
    let body = channel.body.with_items("entries", is_kept)?;
    Ok(Arc::new(Channel { entries: channel.entries.only(is_kept), body }))
}

/// What is not there any more is not deprecated either: OLM would refuse that.
fn with_deprecated(
    deprecations: &Arc<Deprecations>,
    left: &Package,
) -> Result<Arc<Deprecations>, ObjectFault> {
    let is_left = |deprecated: &Deprecated| match deprecated.schema.as_str() {
        "olm.channel" => left.channels.contains_key(&deprecated.name),
        "olm.bundle" => left.bundles.contains_key(&deprecated.name),
        _ => true,
    };
    if deprecations.entries.iter().all(is_left) {
        return Ok(Arc::clone(deprecations));
    }
    let is_kept = |nth| deprecations.entries.get(nth).is_some_and(is_left);
    let body = deprecations.body.with_items("entries", is_kept)?;
    let entries = deprecations.entries.iter().filter(|entry| is_left(entry)).cloned().collect();
    Ok(Arc::new(Deprecations { entries, body }))
}
