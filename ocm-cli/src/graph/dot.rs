//! A path as Graphviz draws it.

use std::iter;

use ocm_graph::{Advice, Hop, UpgradePath};

use crate::console::printable;

/// Returns a path in the language of Graphviz; what has risks is dashed, and labelled with them.
///
/// Source: <https://graphviz.org/doc/info/lang.html>.
pub(super) fn draw(path: &UpgradePath) -> Vec<String> {
    let release = |version: &dyn ToString| format!("  {};", quoted(&version.to_string()));
    let releases = path.releases().iter().map(|one| release(&one.version));
    let first = ["digraph path {", "  rankdir=LR;", "  node [shape=box];"].map(str::to_owned);
    let all = first.into_iter().chain(releases).chain(path.hops().iter().map(edge));
    all.chain(iter::once("}".to_owned())).collect()
}

fn edge(hop: &Hop) -> String {
    let (from, to) = (quoted(&hop.from.to_string()), quoted(&hop.to.to_string()));
    let names: Vec<_> = hop.risks().map(|risk| printable(&risk.name).into_owned()).collect();
    match hop.advice {
        Advice::Recommended => format!("  {from} -> {to};"),
        Advice::Conditional => {
            format!("  {from} -> {to} [style=dashed, label={}];", quoted(&names.join(", ")))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
