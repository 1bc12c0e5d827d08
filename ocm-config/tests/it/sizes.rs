//! A large configuration is read whole.

use std::fmt::Write as _;

use crate::{HEADER, accepted};

#[test]
fn ten_thousand_images() {
    let mut body = "mirror:\n  additionalImages:\n".to_owned();
    for i in 0..10_000 {
        writeln!(
            body,
            "  - name: registry.example.com/team/image-{i}:v1.{i}\n    targetRepo: t/i{i}"
        )
        .unwrap();
    }
    let image_set = accepted(&body);
    let images = &image_set.mirror.additional_images;
    assert_eq!(images.len(), 10_000);
    let last = images.last().unwrap();
    assert_eq!(last.name, "registry.example.com/team/image-9999:v1.9999");
    let header_lines = u32::try_from(HEADER.lines().count()).unwrap();
    assert_eq!(last.location.line, header_lines + 3 + 2 * 9_999);
}
