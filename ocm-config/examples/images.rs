//! Prints the images that a configuration names, or what is wrong with it.
//!
//! `cargo run -p ocm-config --example images -- imageset.yaml`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it found")]

use std::{env, error::Error, fs};

use ocm_config::Fault;

/// What is read where no file is named.
const SAMPLE: &[u8] = b"\
kind: ImageSetConfiguration
apiVersion: mirror.openshift.io/v2alpha1
mirror:
  additionalImages:
  - name: registry.example.com/team/app:v1
  - name: registry.example.com/team/tool@sha256:\
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    targetRepo: tools/tool
    targetTag: stable
  - name: registry.example.com/team/forgot-the-tag
";

fn main() -> Result<(), Box<dyn Error>> {
    let document = match env::args_os().nth(1) {
        Some(file) => fs::read(file)?,
        None => SAMPLE.to_vec(),
    };
    let parsed = ocm_config::parse(&document).inspect_err(|faults| show(faults))?;
    show(&parsed.warnings);
    for image in &parsed.image_set.mirror.additional_images {
        match &image.wanted {
            Ok(wanted) => println!("{}", wanted.reference),
            Err(faults) => show(&faults.iter().map(Fault::from).collect::<Vec<_>>()),
        }
    }
    Ok(())
}

fn show<'f>(faults: impl IntoIterator<Item = &'f Fault>) {
    for fault in faults {
        eprintln!("{fault}");
        if let Some(help) = &fault.help {
            eprintln!("  {help}");
        }
    }
}
