use std::{collections::BTreeMap, num::NonZeroUsize, time::SystemTime};

use bytes::Bytes;
use ocm_oci::Digest;
use ocm_transport::{Client, Kind as Cause, TransportError};

use super::{
    Expected, Filed, Refusal, SignatureError, Store, Trust, Verified, message::LIMIT, verify,
};
use crate::{RetryPolicy, drive::drive, retry::Patience};

/// Most signatures of one release that a store is asked for, as an upgrading cluster does.
///
/// Source: <https://github.com/openshift/library-go/blob/master/pkg/verify/store/serial/serial.go>.
const SIGNATURES_LIMIT: usize = 10;

/// A release whose signature is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its image.
    pub digest: &'a Digest,
    /// What people know it by.
    pub reference: &'a str,
    /// Whose word counts.
    pub trust: &'a Trust,
    /// Whether it has to be signed.
    pub policy: Policy,
}

/// Whether a release has to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Without a good signature it is refused.
    #[default]
    Required,
    /// Nobody asks: so does `--ignore-release-signature`, for the release that `platform.release`
    /// names and for channels of `type: okd`.
    Ignored,
}

/// A good signature, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What it says.
    pub verified: Verified,
    /// The message, to the byte: what a cluster verifies in turn.
    pub message: Bytes,
}

/// Where signatures are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Lookup<'a> {
    /// What is at hand; it comes first.
    pub filed: &'a Filed,
    /// Who asks the stores; `None` where nothing may be asked, as with an archive.
    pub web: Option<&'a Client>,
    /// How often a store is asked.
    pub retry: RetryPolicy,
    /// How many releases are looked up at once: a bound, not a target.
    pub at_once: NonZeroUsize,
    /// The time by which keys and signatures are in force.
    pub now: SystemTime,
}

impl Lookup<'_> {
    /// Finds the signatures of releases; one answer to each, in their order. Those who need none
    /// have `None`.
    ///
    /// A signature that does not count is passed over for the next: of what is at hand, then of
    /// each store, from `signature-1` on, until the store has no more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops asking.
    pub async fn check(self, releases: &[Asked<'_>]) -> Vec<Result<Option<Signed>, Refusal>> {
        let (mut left, mut found) = (releases.iter().enumerate(), BTreeMap::new());
        let patience = &Patience::new(self.retry);
        let next = || {
            left.next().map(|(nth, asked)| async move { (nth, self.one(asked, patience).await) })
        };
        drive(self.at_once, next, |(nth, answer)| drop(found.insert(nth, answer))).await;
        found.into_values().collect()
    }

    async fn one(self, asked: &Asked<'_>, patience: &Patience) -> Result<Option<Signed>, Refusal> {
        if asked.policy == Policy::Ignored {
            return Ok(None);
        }
        let mut search = Search { asked, now: self.now, refused: Vec::new() };
        for (name, message) in self.filed.about(asked.digest) {
            if let Some(signed) = search.try_out(message, || format!("file `{name}`")) {
                return Ok(Some(signed));
            }
        }
        let (mut unasked, stores) = (None, self.web.map(|web| (web, &asked.trust.stores)));
        for (web, store) in
            stores.into_iter().flat_map(|(web, all)| all.iter().map(move |one| (web, one)))
        {
            match search.store((web, store), patience).await {
                Ok(Some(signed)) => return Ok(Some(signed)),
                Ok(None) => {}
                Err(error) => drop(unasked.get_or_insert(error)),
            }
        }
        Err(search.give_up(unasked, self.web.is_some()))
    }
}

/// The search for one release's signature.
struct Search<'a> {
    asked: &'a Asked<'a>,
    now: SystemTime,
    /// What was found and does not count, and where.
    refused: Vec<(String, SignatureError)>,
}

impl Search<'_> {
    /// Goes through a store's signatures.
    async fn store(
        &mut self,
        (web, store): (&Client, &Store),
        patience: &Patience,
    ) -> Result<Option<Signed>, TransportError> {
        let digest = self.asked.digest;
        for nth in 1..=SIGNATURES_LIMIT {
            let address = store.address(digest, nth);
            let got = patience.run(|| web.get(&address, "*/*", LIMIT)).await;
            let message = match got {
                Ok(Some(message)) => message,
                Ok(None) => return Ok(None),
                // A bucket that lists its files to nobody says this of one that is not there.
                Err(error) if error.kind() == Cause::Auth => return Ok(None),
                Err(error) => return Err(error),
            };
            let shown = || format!("`{}`", store.shown(digest, nth));
            if let Some(signed) = self.try_out(&message, shown) {
                return Ok(Some(signed));
            }
        }
        Ok(None)
    }

    fn try_out(&mut self, message: &Bytes, at: impl FnOnce() -> String) -> Option<Signed> {
        let Asked { digest, trust, .. } = self.asked;
        let repositories = trust.repositories.clone();
        let expected = Expected { digest: (*digest).clone(), repositories };
        match verify(message, &trust.keyring, &expected, self.now) {
            Ok(verified) => Some(Signed { verified, message: message.clone() }),
            Err(error) => {
                self.refused.push((at(), error));
                None
            }
        }
    }

    /// Says why there is none: what was found says most, and of that what a known key has signed.
    fn give_up(self, unasked: Option<TransportError>, is_web: bool) -> Refusal {
        let release = self.asked.reference.to_owned();
        let is_telling =
            |error: &SignatureError| !matches!(error, SignatureError::Untrusted { .. });
        let mut refused = self.refused;
        let telling = refused.iter().position(|(_, error)| is_telling(error)).unwrap_or_default();
        if telling < refused.len() {
            let (at, source) = refused.swap_remove(telling);
            return Refusal::NotGood { release, at, source };
        }
        match unasked {
            Some(source) => Refusal::Unasked { release, source },
            None if is_web => {
                let stores = self.asked.trust.stores.iter().map(ToString::to_string).collect();
                Refusal::NotFound { release, stores }
            }
            None => Refusal::NotFiled { release },
        }
    }
}

impl Signed {
    /// Returns what its file is called: `TAG-sha256-HEX`, with the tag that was signed.
    pub fn file_name(&self) -> String {
        let Verified { digest, identity, .. } = &self.verified;
        let (algorithm, hex) = (digest.algorithm(), digest.hex());
        match identity.tag() {
            Some(tag) => format!("{tag}-{algorithm}-{hex}"),
            None => format!("{hex}-{algorithm}-{hex}"),
        }
    }
}
