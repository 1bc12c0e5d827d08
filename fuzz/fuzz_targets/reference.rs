//! A reference that is read says what was written, and reads as itself again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocm_oci::Reference;

fuzz_target!(|text: &str| {
    let Ok(read) = text.parse::<Reference>() else { return };
    let printed = read.to_string();
    assert_eq!(printed.parse::<Reference>().as_ref(), Ok(&read), "`{printed}` reads otherwise");
    if let Reference::Image(image) = read {
        assert_eq!(image.as_written(), text);
        assert!(image.tag().is_some() || image.digest().is_some());
    }
});
