//! Red Hat's own signatures, and those that library-go and oc-mirror test with.

use super::*;

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn corpus() -> Option<PathBuf> {
    let corpus = env::var_os("OCM_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        eprintln!("skipped: OCM_CORPUS names no corpus");
    }
    corpus.map(|corpus| corpus.join("release-payload"))
}

/// The two of the corpus: digest, tag.
const RELEASES: [(&str, &str); 2] = [
    ("sha256:0065822bf39b11e3a3113eb2dee4bddf0a07fe0967892498771bd9728e145ad0", "4.16.37-x86_64"),
    ("sha256:0da6316466d60a3a4535d5fed3589feb0391989982fba59d47d4c729912d6363", "4.15.0-x86_64"),
];

fn signature(corpus: &std::path::Path, digest: &Digest) -> Vec<u8> {
    let directory = format!("release-signatures/sha256={}", digest.hex());
    fs::read(corpus.join(directory).join("signature-1")).unwrap()
}

#[test]
fn red_hats_verify() {
    let Some(corpus) = corpus() else { return };
    for (digest, tag) in RELEASES {
        let digest: Digest = digest.parse().unwrap();
        let message = signature(&corpus, &digest);
        let verified = verify(&message, &Keyring::red_hat(), &expected(&digest), now()).unwrap();
        assert_eq!(verified.digest, digest);
        assert_eq!(verified.identity.tag().unwrap().as_str(), tag);
        assert_eq!(verified.signer, "567E347AD0044ADE55BA8A5F199E2F91FD431D51");
        let other = expected(&release());
        let error = verify(&message, &Keyring::red_hat(), &other, now()).unwrap_err();
        assert!(matches!(error, SignatureError::OtherDigest { .. }), "{error}");
        let stranger = trusting(&ReleaseSigner::trusted());
        let error = verify(&message, &stranger, &expected(&digest), now()).unwrap_err();
        assert_eq!(error.to_string(), "key 199E2F91FD431D51 is not trusted");
    }
}

#[test]
fn no_flipped_bit_of_red_hats_changes_what_is_mirrored() {
    let Some(corpus) = corpus() else { return };
    for (digest, _) in RELEASES {
        let digest: Digest = digest.parse().unwrap();
        let message = signature(&corpus, &digest);
        flip(&message, &Keyring::red_hat(), &digest);
    }
}

#[test]
fn a_real_one_with_another_digest_in_it_does_not_pass() {
    let Some(corpus) = corpus() else { return };
    let digest: Digest = RELEASES[0].0.parse().unwrap();
    let message = signature(&corpus, &digest);
    let mut plain = Vec::new();
    flate2::read::DeflateDecoder::new(&message[2..]).read_to_end(&mut plain).unwrap();
    let altered = replaced(&plain, digest.hex().as_bytes(), release().hex().as_bytes());
    let message = ReleaseSigner::compress(&altered);
    let error = verify(&message, &Keyring::red_hat(), &expected(&release()), now()).unwrap_err();
    assert!(matches!(error, SignatureError::AlteredText { .. }), "{error}");
}

/// What library-go tests with: a base image of Red Hat's, and a release of the build system whose
/// key has expired since.
#[test]
fn library_gos_are_good_of_something_else_or_no_longer_in_force() {
    let Some(corpus) = corpus() else { return };
    let data = corpus.join("library-go/pkg/verify/testdata");
    let of = |hex: &str| fs::read(data.join(format!("signatures/sha256={hex}/signature-1")));
    let keys = |name: &str| fs::read(data.join("keyrings").join(name)).unwrap();
    let keyring = |name: &str| Keyring::read(&keys(name)).unwrap();
    let any =
        |digest: &Digest| Expected { digest: digest.clone(), repositories: Repositories::Any };

    let hex = "e3f12513a4b22a2d7c0e7c9207f52128113758d9d68c7d06b11a0ac7672966f7";
    let (digest, message) = (format!("sha256:{hex}").parse().unwrap(), of(hex).unwrap());
    for name in ["redhat.txt", "combined.txt"] {
        assert!(verify(&message, &keyring(name), &any(&digest), now()).is_ok(), "version 3");
        let error = verify(&message, &keyring(name), &expected(&digest), now()).unwrap_err();
        let named = "image was signed as `registry.access.redhat.com/rhel7:7.6`";
        assert!(error.to_string().starts_with(named), "{error}");
    }
    let error = verify(&message, &keyring("simple.txt"), &any(&digest), now()).unwrap_err();
    assert!(matches!(error, SignatureError::Untrusted { .. }), "{error}");

    let hex = "edd9824f0404f1a139688017e7001370e2f3fbc088b94da84506653b473fe140";
    let (digest, message) = (format!("sha256:{hex}").parse().unwrap(), of(hex).unwrap());
    let then = at(1_556_000_000);
    for keyring in [keyring("simple.txt"), Keyring::openshift_ci()] {
        let verified = verify(&message, &keyring, &any(&digest), then).unwrap();
        assert_eq!(verified.identity.tag().unwrap().as_str(), "4.0.0-0.ci-2019-04-19-181452");
        let error = verify(&message, &keyring, &any(&digest), now()).unwrap_err();
        assert!(error.to_string().ends_with("expired on 2021-04-21"), "{error}");
    }
    let error = verify(&message, &keyring("redhat.txt"), &any(&digest), now()).unwrap_err();
    assert!(matches!(error, SignatureError::Untrusted { .. }), "{error}");
}

/// Four of one bundle, of version 3 as releases had them until 2022, and what oc-mirror has for
/// keys.
#[test]
fn oc_mirrors_are_read() {
    let Some(corpus) = corpus() else { return };
    let data = corpus.join("oc-mirror/tests/unit/testdata");
    let keyring = Keyring::read(&fs::read(data.join("custom-ocp-sig-key.asc")).unwrap()).unwrap();
    let digest = "sha256:50b9402635dd4b312a86bed05dcdbda8c00120d3789ec2e9b527045100b3bdb4";
    let digest = digest.parse().unwrap();
    let any = Expected { digest, repositories: Repositories::Any };
    for nth in 1..=4 {
        let file = data.join(format!("noo-bundle-image/signature-{nth}"));
        let verified = verify(&fs::read(file).unwrap(), &keyring, &any, now()).unwrap();
        assert!(verified.identity.repository().as_str().ends_with("operator-bundle"));
    }
    let buggy = fs::read(data.join("buggy-ocp-sig-key.asc")).unwrap();
    assert!(Keyring::read(&buggy).is_err());
}
