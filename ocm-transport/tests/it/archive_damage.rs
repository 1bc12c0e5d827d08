//! What a reader makes of archives that are not as they were written.

use std::{fs, path::Path};

use bytes::Bytes;
use ocm_oci::Digest;
use ocm_transport::{
    Kind, Retry, SourceExt as _, Transport as _,
    archive::{ArchiveError, ArchiveReader},
    conformance::describe,
};
use proptest::{collection::vec, prelude::any, proptest};
use serde_json::{Value, json};

use crate::{
    archive::{Images, files, repository},
    support::chain,
};

/// Makes an archive of four volumes or more; the large blob is in parts.
async fn four_volumes(directory: &Path, name: &str) -> Images {
    let images = Images::new(name, &[5000, 30_000]);
    images.archive(directory, Some(12_000)).await;
    assert!(files(directory).len() >= 4);
    images
}

async fn refused(path: &Path) -> ArchiveError {
    ArchiveReader::open(path).await.unwrap_err()
}

/// Whether the error names the file and says what to do.
fn is_helpful(error: &ArchiveError, name: &str) -> bool {
    error.to_string().contains(name) && error.hint().is_some()
}

#[tokio::test]
async fn volumes_that_are_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let empty = refused(directory.path()).await;
    assert!(matches!(empty, ArchiveError::NoArchive { .. }), "{empty:?}");
    let nowhere = refused(&directory.path().join("nowhere")).await;
    assert!(matches!(nowhere, ArchiveError::Io { .. }), "{nowhere:?}");
    four_volumes(directory.path(), "plan").await;
    for missing in [4, 2, 1] {
        let name = format!("mirror_00000{missing}.tar");
        fs::remove_file(directory.path().join(&name)).unwrap();
        let error = refused(directory.path()).await;
        assert!(is_helpful(&error, &name), "{error:?}");
        assert!(
            matches!(error, ArchiveError::Missing { number, .. } if number == missing),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn volumes_under_wrong_names() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    four_volumes(directory.path(), "plan").await;
    fs::rename(path("mirror_000002.tar"), path("x")).unwrap();
    fs::rename(path("mirror_000003.tar"), path("mirror_000002.tar")).unwrap();
    fs::rename(path("x"), path("mirror_000003.tar")).unwrap();
    let error = refused(directory.path()).await;
    assert!(matches!(error, ArchiveError::Swapped { number: 2, found: 3, .. }), "{error:?}");
    assert!(is_helpful(&error, "mirror_000002.tar"));
    assert_eq!(error.hint().unwrap(), "rename it to `mirror_000003.tar`");
    let error = refused(&path("mirror_000003.tar")).await;
    assert!(matches!(error, ArchiveError::Swapped { number: 3, found: 2, .. }), "{error:?}");
    // One of our volumes, whatever its name is, if there are no others.
    let one = tempfile::tempdir().unwrap();
    Images::new("one", &[5000]).archive(one.path(), None).await;
    fs::rename(one.path().join("mirror_000001.tar"), one.path().join("images.tar")).unwrap();
    ArchiveReader::open(&one.path().join("images.tar")).await.unwrap();
}

#[tokio::test]
async fn volumes_of_two_archives() {
    let [directory, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [images, foreign] = [
        four_volumes(directory.path(), "plan").await,
        four_volumes(other.path(), "another plan").await,
    ];
    let name = "mirror_000003.tar";
    fs::copy(other.path().join(name), directory.path().join(name)).unwrap();
    let error = refused(directory.path()).await;
    let ArchiveError::Foreign { found, expected, .. } = &error else { panic!("{error:?}") };
    assert_eq!((found, expected), (&foreign.contents.set, &images.contents.set));
    assert!(is_helpful(&error, name));
}

#[tokio::test]
async fn volumes_of_the_wrong_length() {
    let directory = tempfile::tempdir().unwrap();
    four_volumes(directory.path(), "plan").await;
    for name in ["mirror_000001.tar", "mirror_000003.tar"] {
        let path = directory.path().join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, "").unwrap();
        let error = refused(directory.path()).await;
        assert!(matches!(error, ArchiveError::Empty { .. }), "{error:?}");
        assert!(is_helpful(&error, name));
        for cut in [1, 511, 512, 600, 1024, 5000, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            let error = refused(directory.path()).await;
            let is_cut =
                matches!(error, ArchiveError::Length { .. } | ArchiveError::Damaged { .. });
            assert!(is_cut && is_helpful(&error, name), "{cut}: {error:?}");
        }
        fs::write(&path, [&whole[..], &[0; 512]].concat()).unwrap();
        let error = refused(directory.path()).await;
        assert!(matches!(error, ArchiveError::Length { .. }), "{error:?}");
        fs::write(&path, whole).unwrap();
    }
    ArchiveReader::open(directory.path()).await.unwrap();
}

#[tokio::test]
async fn files_that_are_no_volumes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mirror_000001.tar");
    let mut oc_mirror = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(0);
    let name = "docker/registry/v2/repositories/a/_layers/x/link";
    oc_mirror.append_data(&mut header, name, &b""[..]).unwrap();
    for (bytes, hint) in [
        (b"this is not a tar".to_vec(), "name an archive that ocm wrote"),
        (vec![0; 2048], "name an archive that ocm wrote"),
        (
            oc_mirror.into_inner().unwrap(),
            "it looks like an archive of oc-mirror, which cannot be read yet",
        ),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = refused(directory.path()).await;
        assert!(matches!(error, ArchiveError::NotAVolume { .. }), "{error:?}");
        assert!(is_helpful(&error, "mirror_000001.tar"));
        assert_eq!(error.hint().unwrap(), hint);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = refused(directory.path()).await;
    assert!(matches!(error, ArchiveError::Io { .. }), "{error:?}");
}

/// Returns the one volume of a small archive, and what is in it.
async fn one_volume() -> (Vec<u8>, Images) {
    let directory = tempfile::tempdir().unwrap();
    let images = Images::new("plan", &[700]);
    images.archive(directory.path(), None).await;
    (fs::read(directory.path().join("mirror_000001.tar")).unwrap(), images)
}

fn open(bytes: &[u8]) -> Result<ArchiveReader, ArchiveError> {
    ArchiveReader::from_bytes(&[Bytes::copy_from_slice(bytes)])
}

/// Replaces the header before the content that `needle` is in.
fn with_header(mut volume: Vec<u8>, name: &str, header: &tar::Header) -> Vec<u8> {
    let at = volume
        .chunks(512)
        .position(|block| block.starts_with(name.as_bytes()))
        .expect("every member has a header");
    volume[at * 512..][..512].copy_from_slice(header.as_bytes());
    volume
}

#[tokio::test]
async fn members_that_lead_elsewhere() {
    let (volume, images) = one_volume().await;
    let name = format!("blobs/sha256/{}", Digest::of(&images.blobs[2]).hex());
    for (kind, path, expected) in [
        (tar::EntryType::Symlink, "link", "a symbolic link named `link`"),
        (tar::EntryType::Link, "link", "a hard link named `link`"),
        (tar::EntryType::Directory, "directory/", "a directory named `directory/`"),
        (tar::EntryType::Regular, "../outside", "a file named `../outside`"),
        (tar::EntryType::Regular, "/absolute", "a file named `/absolute`"),
        (tar::EntryType::new(b'V'), "label", "a member of unknown type named `label`"),
        (tar::EntryType::Regular, "blobs/sha256/00", "a file named `blobs/sha256/00`"),
    ] {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(700);
        header.set_cksum();
        let error = open(&with_header(volume.clone(), &name, &header)).unwrap_err();
        assert!(is_helpful(&error, "mirror_000001.tar"), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn formats_of_the_future() {
    let (volume, _) = one_volume().await;
    let text =
        String::from_utf8_lossy(&volume[512..1024]).replacen("\"format\":1", "\"format\":2", 1);
    let future = [&volume[..512], text.as_bytes(), &volume[1024..]].concat();
    let error = open(&future).unwrap_err();
    assert!(matches!(error, ArchiveError::Format { format: 2, .. }), "{error:?}");
    assert!(error.hint().is_some());
}

/// Whatever byte is altered: it is found on opening, or when the content around it is read.
#[tokio::test]
async fn every_altered_byte_is_found() {
    let (volume, images) = one_volume().await;
    let whole = open(&volume).unwrap();
    assert!(reads(&whole, &images).await);
    for at in (0..volume.len()).step_by(3) {
        let mut altered = volume.clone();
        altered[at] ^= 0x20;
        match open(&altered) {
            Err(error) => assert!(is_helpful(&error, "mirror_000001.tar"), "{at}: {error:?}"),
            Ok(reader) => assert!(!reads(&reader, &images).await, "byte {at} may be altered"),
        }
    }
}

/// Whether everything can be read; what cannot is corrupt, and said to be.
async fn reads(reader: &ArchiveReader, images: &Images) -> bool {
    let (name, tag) = Images::name(0);
    let from = reader.source(&name);
    let manifest = from.manifest(&(&tag).into(), 4 << 20).await.map(drop);
    let mut results = vec![manifest];
    for blob in &images.blobs {
        results.push(from.blob_bytes(&describe(blob)).await.map(drop));
    }
    for record in ["plan.json", "config.yaml"] {
        results.push(reader.record(record).await.map(drop));
    }
    let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    for error in &errors {
        // Nothing is won by reading the same file again; another copy of it may be right.
        assert_eq!((error.kind(), error.retry()), (Kind::Corrupt, Retry::Never), "{error:?}");
        let said = chain(error);
        assert!(said.contains("mirror_000001.tar") && said.contains("copy this file"), "{said}");
    }
    errors.is_empty()
}

#[tokio::test]
async fn a_file_that_changes_after_it_was_checked() {
    let directory = tempfile::tempdir().unwrap();
    let images = Images::new("plan", &[700_000]);
    images.archive(directory.path(), None).await;
    let reader = ArchiveReader::open(directory.path()).await.unwrap();
    let layer = describe(&images.blobs[2]);
    let from = reader.source(&repository("any"));
    let path = directory.path().join("mirror_000001.tar");
    fs::rename(&path, directory.path().join("moved")).unwrap();
    assert_eq!(from.blob_bytes(&layer).await.unwrap_err().kind(), Kind::NotFound);
    fs::copy(directory.path().join("moved"), &path).unwrap();
    assert_eq!(from.blob_bytes(&layer).await.unwrap_err().kind(), Kind::Corrupt);
}

#[tokio::test]
async fn volumes_cut_anywhere_are_refused() {
    let (volume, _) = one_volume().await;
    for len in (0..volume.len()).step_by(7) {
        open(&volume[..len]).unwrap_err();
    }
    ArchiveReader::from_bytes(&[]).unwrap_err();
}

proptest! {
    /// Whatever lies in the indexes, opening neither panics nor accepts it.
    #[test]
    fn no_bytes_make_it_panic(noise in vec(any::<u8>(), 0..3000), json in "\\PC{0,400}") {
        open(&noise).unwrap_err();
        let header = header(".ocm/volume.json");
        open(&[&header, &noise[..]].concat()).unwrap_err();
        let mut record = json.into_bytes();
        record.resize(512, b' ');
        open(&[&header, &record[..], &noise[..]].concat()).unwrap_err();
    }

    /// An index that hashes right may still say anything.
    #[test]
    fn no_index_makes_it_panic(size in any::<u64>(), offset in any::<u64>(), at in any::<u64>(), of in any::<u64>(), short in 0_u64..4000) {
        let set = Digest::of(b"set");
        let name = |at: Option<u64>| at.map_or_else(
            || format!("blobs/sha256/{}", set.hex()),
            |at| format!(".ocm/parts/sha256-{}/{at:016}", set.hex()),
        );
        for (size, offset, part) in
            [(size, offset, None), (short, 4096, None), (size, offset, Some(at)), (short, 4096, Some(0))]
        {
            let mut member = json!({
                "name": name(part), "offset": offset, "size": size, "digest": set });
            if let Some(at) = part {
                member["part"] = json!({ "at": at, "of": of });
            }
            open(&crafted(&set, &[member])).unwrap_err();
        }
    }
}

fn header(name: &str) -> Vec<u8> {
    header_of(name, 512)
}

fn header_of(name: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(0o644);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_device_major(0).unwrap();
    header.set_device_minor(0).unwrap();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    let checksum = format!("{:06o}\0 ", header.cksum().unwrap());
    header.as_old_mut().cksum.copy_from_slice(checksum.as_bytes());
    header.as_bytes().to_vec()
}

/// Makes a volume whose record and index are right, and whose members are these.
fn crafted(set: &Digest, members: &[Value]) -> Vec<u8> {
    let index = json!({ "set": set, "volume": 1, "volumes": 1, "members": members }).to_string();
    let mut body = vec![0; 8192];
    body[2048..][..index.len()].copy_from_slice(index.as_bytes());
    let pointer = json!({ "offset": 1024 + 2048, "size": index.len(),
        "digest": Digest::of(index.as_bytes()) });
    record(
        &json!({ "format": 1, "set": set, "volume": 1, "volumes": 1,
        "length": 1024 + body.len(), "index": pointer }),
        &body,
    )
}

fn record(record: &Value, body: &[u8]) -> Vec<u8> {
    let mut record = record.to_string().into_bytes();
    record.resize(512, b' ');
    [&header(".ocm/volume.json"), &record[..], body].concat()
}

/// A volume of which every header and digest is right, whatever it says.
#[derive(Clone)]
struct Lie {
    volume: u32,
    members: Vec<(Value, Vec<u8>)>,
    /// What the index says beside its members.
    index: Value,
}

impl Lie {
    /// Begins with one manifest and one blob, both as they should be.
    fn new() -> Self {
        let index = json!({ "set": Digest::of(b"set"), "volume": 1, "volumes": 1 });
        let mut lie = Self { volume: 1, members: Vec::new(), index };
        lie.add("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        lie.add("index.json", b"");
        lie.images(&json!([entry("a:v1", "application/m", b"manifest")]));
        lie.whole(b"manifest");
        lie.members[2].0["mediaType"] = "application/m".into();
        lie.whole(b"blob");
        lie
    }

    fn add(&mut self, name: &str, content: &[u8]) {
        let member = json!({ "name": name, "digest": Digest::of(content) });
        self.members.push((member, content.to_vec()));
    }

    fn whole(&mut self, content: &[u8]) {
        self.add(&format!("blobs/sha256/{}", Digest::of(content).hex()), content);
    }

    fn part(&mut self, whole: &[u8], (at, end): (usize, usize)) {
        let digest = Digest::of(whole);
        self.add(&format!(".ocm/parts/sha256-{}/{at:016}", digest.hex()), &whole[at..end]);
        let member = &mut self.members.last_mut().unwrap().0;
        member["digest"] = json!(digest);
        member["part"] = json!({ "at": at, "of": whole.len() });
    }

    fn images(&mut self, manifests: &Value) {
        let content = json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
        self.members[1].0["digest"] = json!(Digest::of(content.as_bytes()));
        self.members[1].1 = content.into_bytes();
    }

    fn bytes(mut self) -> Vec<u8> {
        let mut body = Vec::new();
        let add = |body: &mut Vec<u8>, name: &str, content: &[u8]| {
            body.extend(header_of(name, content.len() as u64));
            let offset = 1024 + body.len();
            body.extend(content);
            body.resize(body.len().next_multiple_of(512), 0);
            offset
        };
        for (member, content) in &mut self.members {
            let offset = add(&mut body, member["name"].as_str().unwrap(), content);
            member["offset"] = offset.into();
            member["size"] = content.len().into();
        }
        let members: Vec<_> = self.members.into_iter().map(|(member, _)| member).collect();
        self.index["members"] = members.into();
        let index = self.index.to_string();
        let offset = add(&mut body, ".ocm/index.json", index.as_bytes());
        body.resize(body.len() + 1024, 0);
        let pointer = json!({ "offset": offset, "size": index.len(),
            "digest": Digest::of(index.as_bytes()) });
        record(
            &json!({ "format": 1, "set": Digest::of(b"set"), "volume": self.volume,
            "volumes": 1, "length": 1024 + body.len(), "index": pointer }),
            &body,
        )
    }
}

fn entry(name: &str, media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(content), "size": content.len(),
        "annotations": { "org.opencontainers.image.ref.name": name } })
}

/// Who makes a volume by hand gets all digests right, and is refused for what does not fit.
#[test]
fn volumes_that_contradict_themselves() {
    let lie = |change: &dyn Fn(&mut Lie)| {
        let mut lie = Lie::new();
        change(&mut lie);
        open(&lie.bytes())
    };
    lie(&|_| {}).unwrap();
    lie(&|one| {
        one.part(b"parts", (0, 3));
        one.part(b"parts", (3, 5));
    })
    .unwrap();
    let images = |manifests: Value| lie(&|one| one.images(&manifests));
    images(json!([])).unwrap();
    for manifests in [
        json!([entry("a", "application/m", b"manifest")]),
        json!([entry("a:v1", "application/other", b"manifest")]),
        json!([entry("A:v1", "application/m", b"manifest")]),
        json!([entry("../a:v1", "application/m", b"manifest")]),
        json!([entry("a:v1", "application/m", b"blob")]),
        json!([entry("a:v1", "application/m", b"elsewhere")]),
        json!({}),
    ] {
        images(manifests).unwrap_err();
    }
    let lies: [&dyn Fn(&mut Lie); 14] = [
        &|one| (one.part(b"parts", (0, 3)), one.part(b"parts", (2, 4))).1,
        &|one| one.whole(b"blob"),
        &|one| one.part(b"blob", (0, 4)),
        &|one| one.part(b"parts", (0, 3)),
        &|one| one.part(b"parts", (3, 5)),
        &|one| (one.part(b"parts", (0, 3)), one.part(b"parts", (2, 5))).1,
        &|one| (one.part(b"parts", (0, 2)), one.part(b"parts", (3, 5))).1,
        &|one| (one.part(b"parts", (0, 5)), one.part(b"parts", (0, 5))).1,
        &|one| one.add("../outside", b"content"),
        &|one| one.add("isc.yaml", b"content"),
        &|one| one.members.truncate(1),
        &|one| one.members.swap(0, 1),
        &|one| one.index["records"] = json!({ "plan.json": Digest::of(b"nowhere") }),
        &|one| one.index["volume"] = 2.into(),
    ];
    for (number, change) in lies.into_iter().enumerate() {
        assert!(lie(change).is_err(), "lie {number} is believed");
    }
    let absent = |one: &mut Lie| {
        one.members[3].0["absent"] = true.into();
        one.members[3].0["name"] = format!(".ocm/absent/{}", Digest::of(b"blob")).into();
    };
    let reader = lie(&absent).unwrap();
    assert_eq!(reader.absent().collect::<Vec<_>>(), [&Digest::of(b"blob")]);
    lie(&|one| {
        absent(one);
        one.index["records"] = json!({ "plan.json": Digest::of(b"blob") });
    })
    .unwrap_err();
}
