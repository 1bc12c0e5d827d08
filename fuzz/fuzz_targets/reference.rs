//! A reference that is read keeps what was written, and prints as what it means.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocm_oci::{ImageRef, Reference};

fuzz_target!(|text: &str| {
    let Ok(read) = text.parse::<Reference>() else { return };
    let printed = read.to_string();
    let again = printed.parse::<Reference>().expect("what was printed can be read");
    assert_eq!(again.to_string(), printed, "each time it prints otherwise");
    match (read, again) {
        (Reference::Image(read), Reference::Image(again)) => {
            assert_eq!(read.as_written(), text);
            assert_eq!(meant(&read), meant(&again), "`{printed}` means something else");
            assert!(read.tag().is_some() || read.digest().is_some());
        }
        (Reference::Layout(read), Reference::Layout(again)) => {
            assert_eq!(read.written, text);
            assert_eq!((read.directory, read.digest), (again.directory, again.digest));
        }
        (read, again) => panic!("{read:?} became {again:?}"),
    }
});

fn meant(image: &ImageRef) -> impl PartialEq + std::fmt::Debug {
    let (host, repository) = (image.host().clone(), image.repository().clone());
    (host, repository, image.tag().cloned(), image.digest().cloned())
}
