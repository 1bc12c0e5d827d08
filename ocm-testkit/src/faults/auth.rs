use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Lets in who comes with one name and password. Clones share their counts.
#[derive(Debug, Clone)]
pub struct BasicAuth(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    login: (String, String),
    admitted: AtomicUsize,
    refused: AtomicUsize,
}

impl BasicAuth {
    /// Lets in `user` with `password`, and nobody else.
    pub fn new(user: &str, password: &str) -> Self {
        let login = (user.to_owned(), password.to_owned());
        Self(Arc::new(Shared {
            login,
            admitted: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        }))
    }

    /// Puts the question in front of `router`.
    pub fn in_front_of(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), admit))
    }

    /// Returns how many requests were let in.
    pub fn admitted(&self) -> usize {
        self.0.admitted.load(Ordering::Relaxed)
    }

    /// Returns how many requests were turned away.
    pub fn refused(&self) -> usize {
        self.0.refused.load(Ordering::Relaxed)
    }
}

async fn admit(State(auth): State<BasicAuth>, request: Request, next: Next) -> Response {
    if basic(request.headers()).as_ref() == Some(&auth.0.login) {
        auth.0.admitted.fetch_add(1, Ordering::Relaxed);
        return next.run(request).await;
    }
    auth.0.refused.fetch_add(1, Ordering::Relaxed);
    unauthorized("Basic realm=\"ocm-testkit\"")
}

/// Reads user and password of a request.
pub(super) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, code) = value.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(code.trim()).ok()?;
    let text = String::from_utf8(decoded).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// Answers 401 and asks as `challenge` says.
pub(super) fn unauthorized(challenge: &str) -> Response {
    let text = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(challenge) = HeaderValue::from_str(challenge) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
