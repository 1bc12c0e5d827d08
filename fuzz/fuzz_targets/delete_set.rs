//! Whatever can be read as a deletion can be written, and is then read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocm_config::{Document, convert, parse_delete, parse_document};
use ocm_fuzz::{check_places, meaning};

fuzz_target!(|bytes: &[u8]| {
    let delete_set = match parse_delete(bytes) {
        Ok(parsed) => {
            check_places(bytes, &parsed.warnings);
            parsed.delete_set
        }
        Err(faults) => return check_places(bytes, faults.as_slice()),
    };
    assert!(delete_set.delete.blocked_images.is_empty());
    let meant = meaning(&delete_set);
    for text in [delete_set.to_yaml(), delete_set.to_json()] {
        let again = parse_delete(text.as_bytes()).expect("what was written can be read");
        assert_eq!(meaning(&again.delete_set), meant, "{text}");
    }
    // A kind that is not written stands for the one that is asked for; by itself it is none.
    let Ok(converted) = convert(bytes) else { return };
    if let Document::DeleteSet(converted_set) = &converted.document {
        assert_eq!(*converted_set, delete_set);
    }
    let again = parse_document(converted.yaml.as_bytes()).expect("what was converted can be read");
    assert_eq!(meaning(&again.document), meaning(&converted.document), "{}", converted.yaml);
});
