//! Serves what the demo mirrors, for trying any client on it, until Ctrl-C:
//! `cargo run -p ocm-testkit --example serve_upstream`.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::{error::Error, sync::Arc};

use ocm_testkit::{Loopback, Upstream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let upstream = Upstream::demo();
    let published = upstream.published().to_vec();
    let loopback = Loopback::serve(Arc::new(upstream)).await?;
    for one in &published {
        println!("{}", one.reference(&loopback.host())?);
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}
