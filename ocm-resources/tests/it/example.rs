//! The template that people copy is right.

use std::{fs, path::Path};

use ocm_resources::Template;

#[test]
fn the_example_is_a_template() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/catalog-source-template.yaml");
    let template = Template::parse("example", &fs::read(file).unwrap()).unwrap();
    assert_eq!(template.left_out(), [""; 0]);
}
