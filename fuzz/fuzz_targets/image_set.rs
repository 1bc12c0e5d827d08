//! Whatever can be read as a configuration can be written, and is then read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocm_config::{Document, Fault, convert, parse, parse_document};
use ocm_fuzz::{check_places, meaning};

fuzz_target!(|bytes: &[u8]| {
    let image_set = match parse(bytes) {
        Ok(parsed) => {
            check_places(bytes, &parsed.warnings);
            parsed.image_set
        }
        Err(faults) => return check_places(bytes, faults.as_slice()),
    };
    let images = image_set.mirror.additional_images.iter();
    let faults = images.filter_map(|image| image.wanted.as_ref().err()).flatten().map(Fault::from);
    check_places(bytes, &faults.collect::<Vec<_>>());

    let meant = meaning(&image_set);
    for text in [image_set.to_yaml(), image_set.to_json()] {
        let again = parse(text.as_bytes()).expect("what was written can be read");
        assert_eq!(meaning(&again.image_set), meant, "{text}");
    }
    let converted = convert(bytes).expect("what can be read can be converted");
    assert_eq!(converted.document, Document::ImageSet(image_set));
    let again = parse_document(converted.yaml.as_bytes()).expect("what was converted can be read");
    assert_eq!(meaning(&again.document), meaning(&converted.document), "{}", converted.yaml);
});
