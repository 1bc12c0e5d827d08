//! What a registry is shown, and where that comes from.

use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::{
    answer::Answer,
    call::{Call, Deadline, Target},
    challenge::Challenge,
    endpoint::{Endpoint, Reached},
    failure::{Failure, RequestLine},
    scope::Scope,
    token::{self, TOKEN_LIMIT, Token, TokenRequest},
    url::host_of,
};
use crate::{Kind, Login, Retry, credentials::bearer_header};

impl Endpoint {
    /// Returns what to show for a request to the registry itself; nothing to anybody else.
    pub(crate) async fn authorization(
        &self,
        reached: &Reached,
        call: &Call,
    ) -> Result<Option<HeaderValue>, Failure> {
        if matches!(&call.target, Target::At(location) if !location.is_home) {
            return Ok(None);
        }
        let Some(challenge) = self.authority.challenge() else { return Ok(None) };
        let login = self.login(&call.scope).await?;
        let header = match (&challenge, &login) {
            (_, Some(Login::Registry { token })) => bearer_header(token),
            (Challenge::Basic, _) => login.as_ref().and_then(Login::basic_header),
            (Challenge::Bearer { realm, service, .. }, _) => {
                let slot = self.authority.slot(&call.scope);
                let scopes = slot.scopes(&call.scope);
                let request = TokenRequest::new(realm, service.as_deref(), &scopes, login.as_ref());
                let fetch = self.fetch_token(request, &scopes, login.is_some());
                return slot.token(fetch).await.map(|token| Some(token.header));
            }
        };
        if header.is_some() && reached.base.scheme() == "http" {
            self.wire.note_in_clear(&self.host);
        }
        Ok(header)
    }

    /// Takes in a 401; says whether to try again.
    pub(crate) fn learn(
        &self,
        headers: &HeaderMap,
        reached: &Reached,
        call: &Call,
        shown: Option<&HeaderValue>,
    ) -> bool {
        self.authority.learn(headers, &reached.base, &call.scope, shown)
    }

    async fn fetch_token(
        &self,
        asked: TokenRequest,
        scopes: &[String],
        has_login: bool,
    ) -> Result<Token, Failure> {
        let request = RequestLine::new(&asked.method, &asked.url);
        let attempt = || match scopes.join(" ") {
            scopes if scopes.is_empty() => "could not get a token".to_owned(),
            scopes => format!("could not get a token for `{scopes}`"),
        };
        if asked.url.scheme() == "http" {
            if self.wire.is_strict() {
                let failure = Failure::odd(&request, "could be read by anyone: it is plain HTTP");
                return Err(failure.of_kind(Kind::Tls).within(attempt()));
            }
            if has_login {
                self.wire.note_in_clear(&self.host);
            }
        }
        let line = self.wire.line(host_of(&asked.url).as_ref()).await?;
        let _held = self.permits.metadata().await;
        let now = Instant::now();
        let sent = async {
            let builder = line.http.request(asked.method, asked.url).headers(asked.headers);
            let response = builder.body(asked.body).send().await;
            let response = response.map_err(|error| line.failure(&request, error))?;
            token::read(Answer::read(request.clone(), response, TOKEN_LIMIT).await?, now)
        };
        let token = Deadline::after(self.patience()).bound(&request, sent).await;
        token.map_err(|failure| failure.within(attempt()))
    }

    async fn login(&self, scope: &Scope) -> Result<Option<Login>, Failure> {
        let login = self.wire.options.credentials.lookup(&self.host, scope.repository()).await;
        login.map_err(|error| Failure::new(Kind::Auth, Retry::Never, error))
    }
}
