//! Prints what a cluster is told of a catalog, with a template for its `CatalogSource`, or says what
//! is wrong with that.
//!
//! `cargo run -p ocm-resources --example catalog_source -- ocm-resources/examples/catalog-source-template.yaml`

#![expect(clippy::print_stdout, reason = "an example shows what it made")]

use std::{env, error::Error, fs};

use ocm_resources::{AtMirror, Catalog, Catalogs, Naming, Stamp, Template};

fn main() -> Result<(), Box<dyn Error>> {
    let template = match env::args().nth(1) {
        Some(file) => Some(Template::parse(&file, &fs::read(&file)?)?),
        None => None,
    };
    for field in template.iter().flat_map(Template::left_out) {
        println!("# {field} is the server's to fill in, and was left out");
    }
    let catalog = Catalog {
        origin: "registry.redhat.io/redhat/redhat-operator-index:v4.18".parse()?,
        place: AtMirror {
            host: "mirror.example:5000".parse()?,
            repository: "ns/redhat/redhat-operator-index".parse()?,
            selector: "v4.18".parse()?,
        },
        source_name: None,
        template,
        files: None,
    };
    let stamp = Stamp {
        created_at: "2026-11-28T10:11:12Z".to_owned(),
        created_by: "an example".to_owned(),
        version: "1".to_owned(),
    };
    for named in Catalogs::name(vec![catalog], Naming::Place)?.as_slice() {
        for document in named.documents(&stamp) {
            println!("# {}\n{}", document.file_name, document.text);
        }
    }
    Ok(())
}
