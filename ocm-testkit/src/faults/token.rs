use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Query, Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::any,
};
use http::{HeaderValue, Method, Uri, header};
use serde_json::json;
use tokio::time::Instant;

use super::auth::{basic, unauthorized};

/// Where tokens are had.
const TOKEN_PATH: &str = "/token";
/// What the tokens are for: clients hand it back.
const SERVICE: &str = "ocm-testkit";
/// Bytes of a form, more than any client sends.
const FORM_MAX: usize = 64 << 10;
/// What separates a repository's name from what is asked of it.
const SEPARATORS: [&str; 4] = ["/blobs/", "/manifests/", "/tags/", "/referrers/"];

/// Lets in who comes with a token for what is asked, and gives out such tokens.
///
/// As large registries do it: a request without a token is answered 401 and told where to get one,
/// and for which scope. Clones share their state.
///
/// Source: <https://distribution.github.io/distribution/spec/auth/token/>.
#[derive(Debug, Clone)]
pub struct TokenAuth {
    settings: Settings,
    state: Arc<Mutex<Issued>>,
}

#[derive(Debug, Clone)]
struct Settings {
    login: (String, String),
    identity_token: Option<String>,
    anonymous_pull: bool,
    lifetime: Duration,
    realm: Option<String>,
}

/// A question for a token, and whether it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// For what, as asked: `repository:team/app:pull,push`.
    pub scopes: Vec<String>,
    /// Who asked; `None` for nobody in particular.
    pub account: Option<String>,
    /// Whether there was a token in the answer.
    pub granted: bool,
}

/// Who asks for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Account {
    Known(String),
    Anybody,
    Wrong,
}

#[derive(Debug, Default)]
struct Issued {
    grants: BTreeMap<String, Grant>,
    requests: Vec<TokenRequest>,
    challenges: usize,
}

#[derive(Debug)]
struct Grant {
    /// Repository and action.
    may: BTreeSet<(String, String)>,
    until: Instant,
}

impl TokenAuth {
    /// Gives tokens for everything to `user` with `password`, and none to others.
    pub fn new(user: &str, password: &str) -> Self {
        let settings = Settings {
            login: (user.to_owned(), password.to_owned()),
            identity_token: None,
            anonymous_pull: false,
            lifetime: Duration::from_mins(5),
            realm: None,
        };
        Self { settings, state: Arc::default() }
    }

    /// Gives tokens for reading to everybody.
    #[must_use]
    pub fn with_anonymous_pull(mut self) -> Self {
        self.settings.anonymous_pull = true;
        self
    }

    /// Takes `token` in place of user and password, posted as a refresh token.
    #[must_use]
    pub fn with_identity_token(mut self, token: &str) -> Self {
        self.settings.identity_token = Some(token.to_owned());
        self
    }

    /// Makes tokens good for so long, and says so; whole seconds.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.lifetime = lifetime;
        self
    }

    /// Sends clients to this URL for tokens, in place of one on the registry itself.
    #[must_use]
    pub fn with_realm(mut self, url: &str) -> Self {
        self.settings.realm = Some(url.to_owned());
        self
    }

    /// Puts the question in front of `router`, and the giver of tokens beside it.
    pub fn in_front_of(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), admit)).merge(self.router())
    }

    /// Returns the giver of tokens alone, at `/token`: for a host of its own.
    pub fn router(&self) -> Router {
        Router::new().route(TOKEN_PATH, any(give)).with_state(self.clone())
    }

    /// Returns every question for a token so far.
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.with(|issued| issued.requests.clone())
    }

    /// Returns how many requests were answered 401.
    pub fn challenges(&self) -> usize {
        self.with(|issued| issued.challenges)
    }

    /// Makes all tokens given so far worthless, as when they expire in the middle of a run.
    pub fn revoke_all(&self) {
        self.with(|issued| issued.grants.clear());
    }

    fn with<T>(&self, act: impl FnOnce(&mut Issued) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the token of a request is good for `needs`.
    fn is_good(&self, request: &Request, needs: &BTreeSet<(String, String)>) -> bool {
        let value = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let Some(token) = value.and_then(|value| value.strip_prefix("Bearer ")) else {
            return false;
        };
        self.with(|issued| {
            let grant = issued.grants.get(token).filter(|grant| Instant::now() < grant.until);
            grant.is_some_and(|grant| grant.may.is_superset(needs))
        })
    }

    fn challenge(&self, request: &Request, needs: &BTreeSet<(String, String)>) -> String {
        self.with(|issued| issued.challenges += 1);
        let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok());
        // A registry behind TLS is told its realm: from here it cannot be seen.
        let own = || format!("http://{}{TOKEN_PATH}", host.unwrap_or("localhost"));
        let realm = self.settings.realm.clone().unwrap_or_else(own);
        let scope = scopes(needs);
        let scope = if scope.is_empty() { scope } else { format!(",scope=\"{scope}\"") };
        format!("Bearer realm=\"{realm}\",service=\"{SERVICE}\"{scope}")
    }

    /// Decides who asks.
    fn account(&self, request: &Request, form: &[(String, String)]) -> Account {
        let (user, password) = &self.settings.login;
        let field = |name| form.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let posted = field("username").cloned().zip(field("password").cloned());
        if let Some(token) = field("refresh_token") {
            let is_known = self.settings.identity_token.as_ref() == Some(token);
            return if is_known { Account::Known(user.clone()) } else { Account::Wrong };
        }
        match basic(request.headers()).or(posted) {
            Some((name, secret)) if name == *user && secret == *password => Account::Known(name),
            None if self.settings.anonymous_pull => Account::Anybody,
            Some(_) | None => Account::Wrong,
        }
    }

    /// Makes a token for as much of `scopes` as `account` may do.
    fn grant(&self, scopes: &[String], account: &Account) -> String {
        let may_all = matches!(account, Account::Known(_));
        let all = scopes.iter().filter_map(|scope| {
            let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
            Some(actions.split(',').map(|action| (name.to_owned(), action.to_owned())))
        });
        let may = all.flatten().filter(|(_, action)| may_all || action == "pull");
        let grant = Grant { may: may.collect(), until: Instant::now() + self.settings.lifetime };
        self.with(|issued| {
            let token = format!("token-{}", issued.requests.len());
            issued.grants.insert(token.clone(), grant);
            token
        })
    }
}

async fn admit(State(auth): State<TokenAuth>, request: Request, next: Next) -> Response {
    let needs = needs(request.method(), request.uri());
    if auth.is_good(&request, &needs) {
        next.run(request).await
    } else {
        unauthorized(&auth.challenge(&request, &needs))
    }
}

/// Gives a token: to `GET` with a query, or to `POST` with a form.
async fn give(State(auth): State<TokenAuth>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut fields = pairs(parts.uri.query().unwrap_or_default());
    let form = to_bytes(body, FORM_MAX).await.unwrap_or_default();
    fields.extend(pairs(&String::from_utf8_lossy(&form)));
    let scopes = fields.iter().filter(|(key, _)| key == "scope").map(|(_, value)| value);
    let scopes: Vec<String> =
        scopes.flat_map(|value| value.split(' ')).map(str::to_owned).collect();
    let account = auth.account(&Request::from_parts(parts, Body::empty()), &fields);
    auth.with(|issued| {
        issued.requests.push(TokenRequest {
            scopes: scopes.clone(),
            account: if let Account::Known(name) = &account { Some(name.clone()) } else { None },
            granted: account != Account::Wrong,
        });
    });
    if account == Account::Wrong {
        return unauthorized("Basic realm=\"ocm-testkit\"");
    }
    let token = auth.grant(&scopes, &account);
    let expires_in = auth.settings.lifetime.as_secs();
    let answer = json!({ "token": token, "access_token": token, "expires_in": expires_in });
    let mut response = Response::new(Body::from(answer.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Reads `a=b&c=d`.
fn pairs(text: &str) -> Vec<(String, String)> {
    let uri: Option<Uri> = format!("/?{text}").parse().ok();
    uri.and_then(|uri| Query::try_from_uri(&uri).ok()).map(|Query(pairs)| pairs).unwrap_or_default()
}

/// Returns what a request has to be allowed to: repositories and actions.
fn needs(method: &Method, uri: &Uri) -> BTreeSet<(String, String)> {
    let path = uri.path().strip_prefix("/v2/").unwrap_or_default();
    let last = SEPARATORS.iter().filter_map(|separator| path.rfind(separator)).max();
    let Some(name) = last.and_then(|at| path.get(..at)) else { return BTreeSet::new() };
    let actions: &[&str] = match *method {
        Method::GET | Method::HEAD => &["pull"],
        Method::DELETE => &["delete"],
        _ => &["pull", "push"],
    };
    let own = actions.iter().map(|action| (name.to_owned(), (*action).to_owned()));
    let from = pairs(uri.query().unwrap_or_default()).into_iter().filter(|(key, _)| key == "from");
    own.chain(from.map(|(_, other)| (other, "pull".to_owned()))).collect()
}

/// Writes scopes as a challenge does: one for each repository.
fn scopes(needs: &BTreeSet<(String, String)>) -> String {
    let mut actions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, action) in needs {
        actions.entry(name).or_default().push(action);
    }
    let one =
        |(name, actions): (&str, Vec<&str>)| format!("repository:{name}:{}", actions.join(","));
    actions.into_iter().map(one).collect::<Vec<_>>().join(" ")
}
