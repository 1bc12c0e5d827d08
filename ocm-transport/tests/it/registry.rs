//! The registry client against our own server.

use std::sync::Arc;

use ocm_testkit::Loopback;
use ocm_transport::{Memory, conformance};

use crate::support::{Kept, block_on, open, plain};

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    conformance::all(|| {
        let server = block_on(Loopback::serve(Arc::new(Memory::default()))).unwrap();
        Box::new(Kept { registry: open(&server.host(), plain()), _server: server })
    })
    .await;
}
