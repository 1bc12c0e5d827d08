use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
    routing::any,
};
use http::{Method, StatusCode, header};
use ocm_transport::Transport;

use crate::{
    ServerOptions, ask::Ask, blob, listing, manifest, problem::Problem, reply::Reply, route::Route,
    session::Sessions, upload,
};

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) place: Arc<dyn Transport>,
    pub(crate) options: ServerOptions,
    pub(crate) sessions: Sessions,
}

/// Returns the registry over `place` as a service of paths under `/v2/`.
///
/// For those who accept connections themselves: behind TLS, beside other paths, in a test without
/// a socket. [`Server`](crate::Server) is the other way.
pub fn router(place: Arc<dyn Transport>, options: &ServerOptions) -> Router {
    let sessions = Sessions::new(options.max_uploads, options.upload_idle);
    let registry = Registry { place, options: options.clone(), sessions };
    // Axum matches no name of any depth in the middle of a path: one handler reads them all.
    Router::new()
        .route("/v2", any(answer))
        .route("/v2/", any(answer))
        .route("/v2/{*path}", any(answer))
        .with_state(Arc::new(registry))
}

async fn answer(State(registry): State<Arc<Registry>>, request: Request) -> Response {
    dispatch(registry, request).await.unwrap_or_else(Problem::into_reply).into_response()
}

async fn dispatch(registry: Arc<Registry>, request: Request) -> Result<Reply, Problem> {
    let (ask, body) = Ask::of(registry, request)?;
    match Route::parse(ask.parts.uri.path())? {
        Route::Base => base(&ask),
        Route::Catalog => listing::catalog(&ask).await,
        Route::Tags(name) => listing::tags(&ask, &name).await,
        Route::Referrers(name, subject) => listing::referrers(&ask, &name, &subject).await,
        Route::Blob(name, digest) => blob::answer(&ask, &name, &digest).await,
        Route::Manifest(name, reference) => manifest::answer(&ask, &name, &reference, body).await,
        Route::Uploads(name) => upload::begin(&ask, &name, body).await,
        Route::Upload(name, id) => upload::go_on(&ask, &name, &id, body).await,
    }
}

fn base(ask: &Ask) -> Result<Reply, Problem> {
    only_read(ask)?;
    let reply = Reply::new(StatusCode::OK).header(header::CONTENT_TYPE, "application/json");
    Ok(reply.body(Body::from("{}")))
}

/// Refuses every verb that is not for reading.
pub(crate) fn only_read(ask: &Ask) -> Result<(), Problem> {
    match *ask.method() {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(refuse_verb(ask, "GET, HEAD")),
    }
}

/// Says which verbs there are instead.
pub(crate) fn refuse_verb(ask: &Ask, allowed: &str) -> Problem {
    let problem = Problem::unsupported(format_args!("{} is not for this path", ask.method()));
    problem.with_header(header::ALLOW, allowed)
}
