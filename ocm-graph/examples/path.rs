//! Prints the best upgrade path of a graph: `path FILE FROM TO`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error, fs};

use ocm_graph::{Graph, Refusal, Version, solve};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [file, from, to] = words.as_slice() else {
        return Err("write `path FILE FROM TO`".into());
    };
    let graph = Graph::from_json(&fs::read(file)?)?;
    let (from, to): (Version, Version) = (from.parse()?, to.parse()?);
    let path = solve(&graph, (&from, &to), &Refusal::Nothing)?;
    for hop in path.hops() {
        println!("{hop}");
    }
    for exposure in path.exposures() {
        println!("{exposure}");
    }
    Ok(())
}
