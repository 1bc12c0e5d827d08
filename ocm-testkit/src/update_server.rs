use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{Query, State},
    response::{IntoResponse as _, Response},
    routing,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};
use ocm_registry::ServerError;
use serde_json::json;

use crate::Loopback;

/// A server of update graphs, which answers as Red Hat's does: a channel that it does not know has
/// no releases, and a request without a channel is refused.
///
/// ```
/// use ocm_testkit::UpdateServer;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let updates = UpdateServer::default();
/// updates.set("stable-4.18", "amd64", r#"{"nodes": [], "edges": []}"#);
/// let served = updates.serve().await?;
/// let address = format!("{}/graph", served.url());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct UpdateServer {
    state: Arc<Mutex<Served>>,
}

#[derive(Debug, Default)]
struct Served {
    graphs: BTreeMap<(String, String), Bytes>,
    faults: VecDeque<(StatusCode, Bytes)>,
    asked: Vec<GraphRequest>,
    data: Option<Bytes>,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphRequest {
    /// Path and query, as sent.
    pub path: String,
    /// The keys of the query, decoded.
    pub query: BTreeMap<String, String>,
    /// What the client said it reads.
    pub accept: Option<String>,
}

impl UpdateServer {
    /// Sets the graph of a channel for an architecture, whatever it is.
    pub fn set(&self, channel: &str, architecture: &str, graph: impl Into<Bytes>) {
        let key = (channel.to_owned(), architecture.to_owned());
        self.locked(|state| state.graphs.insert(key, graph.into()));
    }

    /// Sets what there is at `/graph-data`, which is nothing before: a tar in a gzip file.
    pub fn set_data(&self, data: impl Into<Bytes>) {
        self.locked(|state| state.data = Some(data.into()));
    }

    /// Answers the next request with this, instead of with a graph; several are used up in turn.
    /// A status that is none is 500.
    pub fn fail_next(&self, status: u16, body: impl Into<Bytes>) {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.locked(|state| state.faults.push_back((status, body.into())));
    }

    /// Returns the requests that came, in their order.
    pub fn asked(&self) -> Vec<GraphRequest> {
        self.locked(|state| state.asked.clone())
    }

    /// Serves the graphs over plain HTTP, at `/graph`.
    ///
    /// # Errors
    ///
    /// As [`Loopback::serve_router`].
    pub async fn serve(&self) -> Result<Loopback, ServerError> {
        let routes = Router::new()
            .route("/graph", routing::get(answer))
            .route("/graph-data", routing::get(answer_data));
        Loopback::serve_router(routes.with_state(self.clone())).await
    }

    fn locked<T>(&self, act: impl FnOnce(&mut Served) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn answer_data(State(server): State<UpdateServer>) -> Result<Bytes, StatusCode> {
    server.locked(|state| state.data.clone()).ok_or(StatusCode::NOT_FOUND)
}

async fn answer(
    State(server): State<UpdateServer>,
    Query(query): Query<BTreeMap<String, String>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let request = GraphRequest { path, query: query.clone(), accept: accept.map(str::to_owned) };
    let fault = server.locked(|state| {
        state.asked.push(request);
        state.faults.pop_front()
    });
    if let Some(fault) = fault {
        return fault.into_response();
    }
    let Some(channel) = query.get("channel") else {
        let refusal = json!({
            "kind": "missing_params",
            "value": "mandatory client parameters missing: channel",
        });
        return (StatusCode::BAD_REQUEST, refusal.to_string()).into_response();
    };
    let architecture = query.get("arch").map_or("amd64", String::as_str);
    let key = (channel.clone(), architecture.to_owned());
    let graph = server.locked(|state| state.graphs.get(&key).cloned());
    let nothing = || json!({"version": 1, "nodes": [], "edges": []}).to_string().into();
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, graph.unwrap_or_else(nothing)).into_response()
}
