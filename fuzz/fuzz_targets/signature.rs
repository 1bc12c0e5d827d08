//! Whatever a message says: it is refused, or it is what somebody trusted has signed.
#![no_main]

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use libfuzzer_sys::fuzz_target;
use ocm_mirror::signature::{Expected, Keyring, Repositories, Verified, verify};
use ocm_oci::Digest;

/// The testkit's key, which has signed two texts: what is accepted is the one that is a statement.
const KEY: &[u8] = include_bytes!("../seeds/signature/key");
const SIGNED: &[u8] = include_bytes!("../seeds/signature/signed");

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| Keyring::read(KEY).expect("a seed is a key"));

static EXPECTED: LazyLock<Expected> = LazyLock::new(|| Expected {
    digest: Digest::of(b"a release image"),
    repositories: Repositories::Any,
});

static TRUTH: LazyLock<Verified> =
    LazyLock::new(|| read(SIGNED, &KEYRING).expect("a seed is signed"));

/// Reads a message as of 2026-11-28.
fn read(message: &[u8], keyring: &Keyring) -> Result<Verified, String> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_824_000);
    verify(message, keyring, &EXPECTED, now).map_err(|error| error.to_string())
}

fuzz_target!(|bytes: &[u8]| {
    let verdict = read(bytes, &KEYRING);
    assert_eq!(verdict, read(bytes, &KEYRING), "twice the same has two answers");
    match verdict {
        // Nobody else has the key: whatever was changed, it says the same.
        Ok(verified) => assert_eq!(verified, *TRUTH),
        Err(told) => assert!(!told.contains(char::is_control), "{told:?}"),
    }
    // The same bytes as somebody's keys: they are read whole, or not at all.
    if let Ok(keyring) = Keyring::read(bytes) {
        assert!(!keyring.fingerprints().is_empty());
        if let Ok(verified) = read(SIGNED, &keyring) {
            assert_eq!(verified, *TRUTH);
        }
    }
});
