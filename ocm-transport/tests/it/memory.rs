use std::num::NonZeroUsize;

use ocm_transport::{Memory, conformance};

#[tokio::test]
async fn keeps_the_contract() {
    let chunk = NonZeroUsize::new(16).unwrap();
    conformance::all(|| Box::new(Memory::default().with_chunks_of(chunk))).await;
}
