use std::sync::Arc;

use ocm_oci::{Descriptor, MediaType, TagOrDigest};
use ocm_transport::{Manifest, Source};
use serde_json::json;

use super::json;
use crate::{ImageFiles, LayersError, RetryPolicy};

/// Makes an index of several images of `source`, each with what it runs on.
///
/// For directories that list the images of several platforms one by one.
///
/// # Errors
///
/// [`LayersError`], where one cannot be read.
///
/// # Cancel safety
///
/// Dropping the future stops reading.
pub async fn gather(
    source: &Arc<dyn Source>,
    images: &[Descriptor],
    retry: RetryPolicy,
) -> Result<Manifest, LayersError> {
    let mut entries = Vec::new();
    for image in images {
        let mut entry = json!(image);
        if !image.media_type.is_index() {
            let wanted = TagOrDigest::from(&image.digest);
            let files = ImageFiles::open(Arc::clone(source), &wanted, retry).await?;
            let platform = files.configuration().await?.platform;
            if let Some(fields) = entry.as_object_mut().filter(|_| !platform.os.is_empty()) {
                fields.insert("platform".to_owned(), json!(platform));
            }
        }
        entries.push(entry);
    }
    let media_type = MediaType::OciIndex;
    let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries });
    Ok(Manifest::new(media_type, json::write(&index)))
}
