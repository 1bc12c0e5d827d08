//! Writes a configuration of any version as v2alpha1.
//!
//! `cargo run -p ocm-config --example convert -- imageset.yaml`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it found")]

use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args_os().nth(1).ok_or("name a file")?;
    let converted = ocm_config::convert(&fs::read(file)?).inspect_err(|faults| {
        for fault in faults {
            eprintln!("{fault}");
            eprintln!("    help: {:?}", fault.help);
        }
    })?;
    for warning in &converted.warnings {
        eprintln!("{warning}");
    }
    print!("{}", converted.yaml);
    Ok(())
}
