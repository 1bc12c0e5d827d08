use ocm_oci::{Descriptor, Digest, MediaType, Platform};
use ocm_transport::Manifest;
use serde_json::{Value, json};

use super::{Built, Change, Family, RebuildError, json};
use crate::ContentStore;

/// Builds an image of `change` alone, upon nothing, for each of `platforms`: one image where
/// there is one, else an index.
///
/// # Errors
///
/// [`RebuildError`], also where `platforms` is empty.
///
/// # Cancel safety
///
/// As [`rebuild`](super::rebuild).
pub async fn scratch(
    platforms: &[(Platform, Change)],
    store: &ContentStore,
) -> Result<Built, RebuildError> {
    let (mut built, mut entries) = (Built::new(), Vec::new());
    for (platform, change) in platforms {
        let image = image(platform, change, store, &mut built).await?;
        let mut entry = json!(image);
        if let Some(fields) = entry.as_object_mut() {
            fields.insert("platform".to_owned(), json!(platform));
        }
        entries.push(entry);
    }
    match entries.len() {
        0 => Err(RebuildError::NoImage(Digest::of(b""))),
        1 => Ok(built),
        _ => {
            let media_type = MediaType::OciIndex;
            let index =
                json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries });
            built.add(Manifest::new(media_type, json::write(&index)));
            Ok(built)
        }
    }
}

async fn image(
    platform: &Platform,
    change: &Change,
    store: &ContentStore,
    built: &mut Built,
) -> Result<Descriptor, RebuildError> {
    let mut config = json!({ "created": "1970-01-01T00:00:00Z", "history": [],
        "rootfs": { "type": "layers", "diff_ids": [] } });
    if let (Some(config), Value::Object(platform)) = (config.as_object_mut(), json!(platform)) {
        config.extend(platform);
    }
    let shape = || RebuildError::Shape(Digest::of(b""));
    json::configure(&mut config, change, 0).ok_or_else(shape)?;
    let bytes = json::write(&config);
    let config = "application/vnd.oci.image.config.v1+json".to_owned();
    let (media_type, size) = (MediaType::from(config), bytes.len() as u64);
    let config = Descriptor { media_type, digest: Digest::of(&bytes), size };
    store.add(&config, bytes).await?;
    let layers: Vec<_> =
        change.layers.iter().map(|layer| Family::Oci.layer(layer.content())).collect();
    let media_type = MediaType::OciManifest;
    let manifest = json!({ "schemaVersion": 2, "mediaType": media_type, "config": config,
        "layers": layers });
    let blobs = layers.into_iter().chain([config]);
    built.new.extend(blobs.map(|blob| (blob.digest.clone(), blob)));
    Ok(built.add(Manifest::new(media_type, json::write(&manifest))))
}
