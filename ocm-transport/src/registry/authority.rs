use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, HeaderValue};
use url::Url;

use super::{challenge::Challenge, failure::Failure, flight::Flight, scope::Scope, token::Token};

/// What one registry wants to be shown, and the tokens it takes.
#[derive(Debug, Default)]
pub(crate) struct Authority {
    challenge: Mutex<Option<Challenge>>,
    slots: Mutex<BTreeMap<Scope, Arc<Slot>>>,
}

/// The token for one scope, fetched by one task however many want it.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    flight: Flight<Token, Failure>,
    refused: Mutex<Option<HeaderValue>>,
    /// What the registry asked for besides the scope we would have asked for.
    asked_for: Mutex<Option<String>>,
}

impl Authority {
    pub(crate) fn challenge(&self) -> Option<Challenge> {
        lock(&self.challenge).clone()
    }

    pub(crate) fn slot(&self, scope: &Scope) -> Arc<Slot> {
        Arc::clone(lock(&self.slots).entry(scope.clone()).or_default())
    }

    /// Takes in a 401 to a request with `shown`; says whether there is something else to show.
    pub(crate) fn learn(
        &self,
        headers: &HeaderMap,
        at: &Url,
        scope: &Scope,
        shown: Option<&HeaderValue>,
    ) -> bool {
        let Some(challenge) = Challenge::choose(headers, at) else { return false };
        if let Challenge::Bearer { scope: Some(wanted), .. } = &challenge
            && !scope.parts().any(|part| part == wanted)
        {
            *lock(&self.slot(scope).asked_for) = Some(wanted.clone());
        }
        if let Some(shown) = shown {
            *lock(&self.slot(scope).refused) = Some(shown.clone());
        }
        let is_token = matches!(challenge, Challenge::Bearer { .. });
        *lock(&self.challenge) = Some(challenge);
        is_token || shown.is_none()
    }
}

impl Slot {
    /// Returns the scopes to ask for.
    pub(crate) fn scopes(&self, scope: &Scope) -> Vec<String> {
        let more = lock(&self.asked_for).clone();
        scope.parts().map(str::to_owned).chain(more).collect()
    }

    /// Returns the token that is there and was not refused, or the one that `fetch` brings.
    pub(crate) async fn token(
        &self,
        fetch: impl Future<Output = Result<Token, Failure>>,
    ) -> Result<Token, Failure> {
        let is_refused = |token: &Token| lock(&self.refused).as_ref() == Some(&token.header);
        self.flight.get(|token| token.is_good() && !is_refused(token), fetch).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
