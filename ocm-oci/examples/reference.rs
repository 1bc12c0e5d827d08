//! Takes references apart: `cargo run -p ocm-oci --example reference -- nginx:1 quay.io/a/b:v1`.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use ocm_oci::Reference;

fn main() {
    let mut written: Vec<String> = std::env::args().skip(1).collect();
    if written.is_empty() {
        written =
            ["nginx:1", "[::1]:5000/team/app:v1", "oci://images/app"].map(str::to_owned).into();
    }
    for text in written {
        match text.parse() {
            Ok(Reference::Image(image)) => println!(
                "{text}\n  host {}, repository {}, asked for by {}",
                image.host(),
                image.repository(),
                image.selector()
            ),
            Ok(Reference::Layout(layout)) => {
                println!("{text}\n  directory {}", layout.directory.display());
            }
            Ok(Reference::Directory(_)) => println!("{text}\n  the files of a catalog"),
            Err(error) => {
                println!("{error}: {}\n  {}", error.fault, error.hint().unwrap_or_default());
            }
        }
    }
}
