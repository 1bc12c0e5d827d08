//! Signatures of releases: those of the testkit, and, where the corpus is at hand, Red Hat's.

use std::{
    collections::BTreeSet,
    env, fs,
    io::Read as _,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use ocm_mirror::signature::{
    Expected, Keyring, KeyringError, Repositories, SignatureError, Verified, verify,
};
use ocm_oci::Digest;
use ocm_testkit::ReleaseSigner;

mod lookup;
mod real;

const IDENTITY: &str = "quay.io/openshift-release-dev/ocp-release:4.16.37-x86_64";

/// Seconds since 1970.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// 2026-11-28.
fn now() -> SystemTime {
    at(1_795_824_000)
}

/// When the testkit signs.
const SIGNED_AT: u64 = 1_767_225_600;

fn release() -> Digest {
    Digest::of(b"a release image")
}

fn releases() -> Repositories {
    Repositories::Ending(vec!["openshift-release-dev/ocp-release".parse().unwrap()])
}

fn expected(digest: &Digest) -> Expected {
    Expected { digest: digest.clone(), repositories: releases() }
}

fn trusting(signer: &ReleaseSigner) -> Keyring {
    Keyring::read(signer.public_key().as_bytes()).unwrap()
}

/// Verifies as the signature of `release()`, with the trusted signer's key.
fn check(message: &[u8]) -> Result<Verified, SignatureError> {
    verify(message, &trusting(&ReleaseSigner::trusted()), &expected(&release()), now())
}

/// Replaces a part of a message by another of the same length.
fn replaced(message: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = message.windows(from.len()).position(|window| window == from).unwrap();
    let mut message = message.to_vec();
    message[at..at + from.len()].copy_from_slice(to);
    message
}

/// Says in note and signature that the text is hashed with SHA-1.
fn weakened(plain: &[u8]) -> Vec<u8> {
    let noted = replaced(plain, &[3, 0, 8, 22], &[3, 0, 2, 22]);
    replaced(&noted, &[4, 0, 22, 8], &[4, 0, 22, 2])
}

#[test]
fn a_good_one_says_who_signed_what_and_what_it_is_called() {
    let signer = ReleaseSigner::trusted();
    let verified = check(&signer.sign(&release(), IDENTITY)).unwrap();
    assert_eq!(verified.digest, release());
    assert_eq!(verified.identity.tag().unwrap().as_str(), "4.16.37-x86_64");
    assert_eq!(verified.identity.as_written(), IDENTITY);
    assert_eq!(verified.signer, signer.fingerprint());
    assert_eq!(verified.signed_at, Some(at(SIGNED_AT)));
    // Not deflated, and by a subkey, it is as good.
    let plain = signer.sign_plainly(ReleaseSigner::statement(&release(), IDENTITY).as_bytes());
    assert_eq!(check(&plain).unwrap(), verified);
    let other = ReleaseSigner::with_subkey();
    let message = other.sign(&release(), IDENTITY);
    let verified = verify(&message, &trusting(&other), &expected(&release()), now()).unwrap();
    assert_eq!(verified.signer, other.fingerprint());
}

/// A message, and what people are told of it.
type Wrong = (&'static str, Vec<u8>);

fn plain() -> Vec<u8> {
    let statement = ReleaseSigner::statement(&release(), IDENTITY);
    ReleaseSigner::trusted().sign_plainly(statement.as_bytes())
}

/// What is not a signed text, or not whole.
fn unreadable() -> Vec<Wrong> {
    let (good, plain) = (ReleaseSigner::trusted().sign(&release(), IDENTITY), plain());
    let noise: Vec<u8> = (0..10_usize << 20).map(|n| ((n * n) % 251).to_le_bytes()[0]).collect();
    vec![
        ("signature is empty", vec![]),
        ("signature is a web page", b"\n<!DOCTYPE html><html>502 Bad Gateway".to_vec()),
        ("signature is larger than 262144 bytes, or claims to be", noise.clone()),
        ("signature is larger than 262144 bytes, or claims to be", bomb()),
        ("signature is no OpenPGP message", noise[..9000].to_vec()),
        ("signature is no OpenPGP message", b"{\"critical\": {}}".to_vec()),
        ("signature is no OpenPGP message", b"-----BEGIN PGP MESSAGE-----\n\nowGb\n".to_vec()),
        ("signature ends early", good[..good.len() / 2].to_vec()),
        ("signature ends early", good[..1].to_vec()),
        ("signature ends early", plain[..plain.len() - 80].to_vec()),
        ("text is not signed", unsigned(&plain)),
        ("signature is not one signed text: something comes after it", [&good[..], b"x"].concat()),
        (
            "signature is not one signed text: something else is in it, or in another order",
            [&plain[..], &plain[..]].concat(),
        ),
    ]
}

/// What nobody trusted has signed, or no longer.
fn not_good() -> Vec<Wrong> {
    let other = Digest::of(b"another image");
    let altered = replaced(&plain(), release().hex().as_bytes(), other.hex().as_bytes());
    let mut broken = plain();
    *broken.last_mut().unwrap() ^= 1;
    vec![
        (
            "key 0DDE2CDF8778C576 is not trusted",
            ReleaseSigner::stranger().sign(&release(), IDENTITY),
        ),
        ("signature is made with SHA1, which can be forged", weakened(&plain())),
        ("text is not the one that key 3A21492D66643D43AC1D9B47BA91E5FDA9749E9D signed", altered),
        (
            "signature is not one of key 3A21492D66643D43AC1D9B47BA91E5FDA9749E9D, which it names",
            broken,
        ),
        (
            "signature expired on 2026-11-28",
            ReleaseSigner::trusted().with_lifetime(28_598_400).sign(&release(), IDENTITY),
        ),
    ]
}

/// What was signed, but not as this release.
fn something_else() -> Vec<Wrong> {
    let signer = ReleaseSigner::trusted();
    let statement = ReleaseSigner::statement(&release(), IDENTITY);
    let with = |from: &str, to: &str| signer.sign_text(statement.replace(from, to).as_bytes());
    vec![
        ("signed text is no statement about an image", signer.sign_text(b"{}")),
        (
            "signed text is no statement about an image",
            with("\"optional\"", "\"critical\": {}, \"optional\""),
        ),
        ("signed text is no statement about an image", with("\"type\"", "\"until\": 1, \"type\"")),
        (
            "signed text is of type `cosign container image signature`, not `atomic container \
             signature`",
            with("atomic container signature", "cosign container image signature"),
        ),
        (
            "signature is of `sha256:210277cb6266afe7c6cc4227ff3e9efc818f55234a7d7fbf033ab602440f2437`, \
             not of `sha256:23b86a4bbff87277960a6816fa8d1373c312964056d3d540b9b512ce25ee932a`",
            signer.sign(&Digest::of(b"another image"), IDENTITY),
        ),
        ("signed name is none", signer.sign(&release(), "QUAY.IO/Release:1")),
        (
            "image was signed as `registry.access.redhat.com/rhel7:7.6`, and not as one of \
             `openshift-release-dev/ocp-release`",
            signer.sign(&release(), "registry.access.redhat.com/rhel7:7.6"),
        ),
    ]
}

/// Megabytes in a few hundred bytes.
fn bomb() -> Vec<u8> {
    ReleaseSigner::compress(&vec![0; 8 << 20])
}

/// The text of a message, without note and signature.
fn unsigned(plain: &[u8]) -> Vec<u8> {
    let start = 2 + 13;
    let length = u32::from_be_bytes(plain[start + 1..start + 5].try_into().unwrap()) as usize;
    plain[start..start + 5 + length].to_vec()
}

#[test]
fn each_wrong_one_is_refused_in_words_of_its_own() {
    let mut told = BTreeSet::new();
    for (expected, message) in [unreadable(), not_good(), something_else()].concat() {
        let error = check(&message).unwrap_err();
        assert_eq!(error.to_string(), expected);
        told.insert(expected);
    }
    assert_eq!(told.len(), 18);
}

#[test]
fn keys_that_do_not_count_are_told_apart() {
    let refused = |signer: &ReleaseSigner| {
        let message = signer.sign(&release(), IDENTITY);
        let error = verify(&message, &trusting(signer), &expected(&release()), now()).unwrap_err();
        (error.to_string().replace(&signer.fingerprint(), "F"), error.hint().is_some())
    };
    let expired = ReleaseSigner::expired();
    assert_eq!(refused(&expired), ("key F expired on 2024-12-31".to_owned(), true));
    assert_eq!(refused(&ReleaseSigner::revoked()), ("key F was revoked".to_owned(), true));
    assert_eq!(
        refused(&ReleaseSigner::certifier()),
        ("key F is not for signing".to_owned(), false)
    );
    // While it was in force, it was good; and so was a signature with an end.
    let then = at(SIGNED_AT - 400 * 86_400);
    let message = expired.sign(&release(), IDENTITY);
    assert!(verify(&message, &trusting(&expired), &expected(&release()), then).is_ok());
    let signer = ReleaseSigner::trusted().with_lifetime(28_598_401);
    assert!(check(&signer.sign(&release(), IDENTITY)).is_ok());
}

/// oc-mirror asks whether the signature is good before the text has been read, and so before
/// anybody has looked: whatever is signed by a key that it knows passes.
#[test]
fn an_altered_text_under_a_known_key_does_not_pass() {
    let statement = ReleaseSigner::statement(&release(), IDENTITY);
    let plain = ReleaseSigner::trusted().sign_plainly(statement.as_bytes());
    let wanted = Digest::of(b"what somebody wants to be mirrored");
    let altered = replaced(&plain, release().hex().as_bytes(), wanted.hex().as_bytes());
    for message in [ReleaseSigner::compress(&altered), altered] {
        let keyring = trusting(&ReleaseSigner::trusted());
        let error = verify(&message, &keyring, &expected(&wanted), now()).unwrap_err();
        assert!(matches!(error, SignatureError::AlteredText { .. }), "{error}");
    }
}

#[test]
fn no_flipped_bit_is_accepted_and_changes_what_is_mirrored() {
    let good = ReleaseSigner::trusted().sign(&release(), IDENTITY);
    let keyring = trusting(&ReleaseSigner::trusted());
    flip(&good, &keyring, &release());
}

/// Flips each bit of a good signature, and cuts it off after each byte.
///
/// A few flipped ones are accepted for what they were: nobody signs the date and the name of the
/// file that the text was in, and nobody reads them.
fn flip(good: &[u8], keyring: &Keyring, release: &Digest) {
    let verified = verify(good, keyring, &expected(release), now()).unwrap();
    let mut accepted = 0;
    for bit in 0..good.len() * 8 {
        let mut message = good.to_vec();
        message[bit / 8] ^= 1 << (bit % 8);
        if let Ok(found) = verify(&message, keyring, &expected(release), now()) {
            assert_eq!(found.digest, verified.digest, "bit {bit}");
            assert_eq!(found.identity, verified.identity, "bit {bit}");
            accepted += 1;
        }
    }
    for length in 0..good.len() {
        let error = verify(&good[..length], keyring, &expected(release), now()).unwrap_err();
        let is_told = matches!(error, SignatureError::Truncated | SignatureError::Empty);
        assert!(is_told, "{length}: {error:?}");
    }
    assert!(accepted * 25 < good.len() * 8, "{accepted} are accepted");
}

#[test]
fn a_keyring_is_read_whole_or_not_at_all() {
    let read = |text: &str| Keyring::read(text.as_bytes());
    let (one, other) = (ReleaseSigner::trusted(), ReleaseSigner::with_subkey());
    let both = read(&format!("a key\n{}\n{}", one.public_key(), other.public_key())).unwrap();
    assert_eq!(both.fingerprints().len(), 3);
    for signer in [&one, &other] {
        let message = signer.sign(&release(), IDENTITY);
        assert!(verify(&message, &both, &expected(&release()), now()).is_ok());
    }
    assert!(matches!(read(""), Err(KeyringError::None)));
    assert!(matches!(read("a key"), Err(KeyringError::None)));
    assert!(matches!(Keyring::read(&vec![b'x'; 2 << 20]), Err(KeyringError::TooLarge)));
    let cut = one.public_key();
    let cut = cut.lines().take(5).collect::<Vec<_>>().join("\n");
    assert!(matches!(read(&cut), Err(KeyringError::Unreadable(_))), "{:?}", read(&cut));
    assert!(matches!(Keyring::read(&[0xff; 99]), Err(KeyringError::Unreadable(_))));
    let damaged = one.public_key().replacen("A release", "B release", 1);
    assert_eq!(damaged, one.public_key(), "the name is not in clear");
}

#[test]
fn the_built_in_keys_are_those_that_their_owners_publish() {
    let red_hat =
        ["B08B659EE86AF623BC90E8DB938A80CAF21541EB", "567E347AD0044ADE55BA8A5F199E2F91FD431D51"];
    assert_eq!(Keyring::red_hat().fingerprints(), red_hat);
    let openshift_ci = Keyring::openshift_ci().fingerprints();
    assert!(openshift_ci.contains(&"6A9588F07F2D3AE7973AD2A9193E53CCD2E2F7A4".to_owned()));
}
