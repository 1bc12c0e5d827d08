use crate::channel_graph::{ChannelGraph, Entries, NameId};

/// What remains of a channel.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// The names that are kept, each at its place.
    pub(super) is_kept: Vec<bool>,
    /// Those of them that are there for the sake of the chain alone, from the head on.
    pub(super) out_of_range: Vec<NameId>,
}

/// Cuts a channel down to what `is_in_range`, by name. `None` where nothing remains.
///
/// ```text
/// h ─► g ─► f ─► e ─► d ─► c ─► b      in range: f, d and what d skips
///           │         ├─ x             f: the last from which on all of them are there, the new head
///           new head  └─ y   tail      c: the first from which on there are none; it is not kept
/// ```
///
/// Everything between the two is kept, in range or not, so that there is one chain; and what is
/// skipped by those, if it is in range.
pub(super) fn cut(
    entries: &Entries,
    graph: &ChannelGraph<'_>,
    is_in_range: &[bool],
) -> Option<Cut> {
    let in_range = |name: NameId| is_in_range.get(name.index()) == Some(&true);
    let skips = |name: NameId| {
        let entry = graph.entry(name);
        entry.map(|entry| entries.skips(entry)).unwrap_or_default().iter().copied()
    };
    let chain = graph.chain();
    // From the tail on: which names are there that were not before.
    let mut is_seen = vec![false; entries.name_count()];
    let mut see = |name: NameId| match is_seen.get_mut(name.index()) {
        Some(seen) if !*seen && in_range(name) => {
            *seen = true;
            true
        }
        _ => false,
    };
    let (mut head, mut tail) = (None, None);
    for (nth, &name) in chain.iter().enumerate().rev() {
        let mut adds = see(name);
        for skipped in skips(name) {
            adds |= see(skipped);
        }
        if adds {
            head = Some(nth);
            tail = tail.or(Some(nth));
        }
    }
    let between = chain.get(head?..=tail?)?;
    let mut cut = Cut { is_kept: vec![false; entries.name_count()], ..Cut::default() };
    let mut keep = |name: NameId| {
        if let Some(kept) = cut.is_kept.get_mut(name.index()) {
            *kept = true;
        }
    };
    for &name in between {
        keep(name);
        skips(name).filter(|skipped| in_range(*skipped)).for_each(&mut keep);
    }
    cut.out_of_range = between.iter().copied().filter(|name| !in_range(*name)).collect();
    Some(cut)
}

/// Returns the entries from the head on: those that are replaced, each with what it skips; and then
/// whatever else there is, as it is written.
pub(super) fn from_head(entries: &Entries, graph: Option<&ChannelGraph<'_>>) -> Vec<NameId> {
    let mut is_left = vec![false; entries.name_count()];
    for entry in entries.all() {
        if let Some(left) = is_left.get_mut(entry.name.index()) {
            *left = true;
        }
    }
    let mut order = Vec::new();
    let mut take = |name: NameId| {
        if let Some(left) = is_left.get_mut(name.index()).filter(|left| **left) {
            *left = false;
            order.push(name);
        }
    };
    for name in graph.map(ChannelGraph::chain).unwrap_or_default() {
        take(name);
        let entry = graph.and_then(|graph| graph.entry(name));
        let skips = entry.map(|entry| entries.skips(entry)).unwrap_or_default();
        skips.iter().copied().for_each(&mut take);
    }
    entries.all().map(|entry| entry.name).for_each(&mut take);
    order
}
