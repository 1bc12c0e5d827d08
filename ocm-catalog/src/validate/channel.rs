use super::Flaw;
use crate::{
    channel_graph::{ChannelGraph, Entries},
    model::{Channel, Package},
    range::OlmRange,
};

/// Checks a channel: its upgrades, and that its entries are bundles.
pub(super) fn check(name: &str, channel: &Channel, package: &Package, flaws: &mut Vec<Flaw>) {
    let entries = channel.entries();
    match ChannelGraph::of(entries) {
        Ok(graph) => check_ways(name, entries, &graph, flaws),
        Err(faults) => flaws.push(Flaw::Channel { channel: name.to_owned(), faults }),
    }
    for edges in entries.edges() {
        let (channel, entry) = (name.to_owned(), edges.name().to_owned());
        if let Some(Err(reason)) = edges.skip_range().map(str::parse::<OlmRange>) {
            let (channel, entry) = (channel.clone(), entry.clone());
            flaws.push(Flaw::SkipRange { channel, entry, reason });
        }
        if !package.bundles().contains_key(&entry) {
            flaws.push(Flaw::NoBundle { channel, entry });
        }
    }
}

/// Every entry must be replaced, and so on up to the head, or be skipped. OLM stops at the first
/// that is both.
fn check_ways(channel: &str, entries: &Entries, graph: &ChannelGraph<'_>, flaws: &mut Vec<Flaw>) {
    let mut is_reached = vec![false; entries.name_count()];
    for skipped in entries.all().flat_map(|entry| entries.skips(entry)) {
        if let Some(reached) = is_reached.get_mut(skipped.index()) {
            *reached = true;
        }
    }
    for name in graph.chain() {
        match is_reached.get_mut(name.index()) {
            Some(reached) if !*reached => *reached = true,
            _ => break,
        }
    }
    let stranded = entries.all().filter(|entry| is_reached.get(entry.name.index()) == Some(&false));
    let mut stranded: Vec<_> = stranded.map(|entry| entries.name(entry.name).to_owned()).collect();
    if !stranded.is_empty() {
        stranded.sort();
        flaws.push(Flaw::Stranded { channel: channel.to_owned(), entries: stranded });
    }
}
