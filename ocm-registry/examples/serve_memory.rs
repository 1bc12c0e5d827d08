//! Serves an empty registry in memory until Ctrl-C:
//! `cargo run -p ocm-registry --example serve_memory -- 127.0.0.1:5000`, then
//! `skopeo copy --dest-tls-verify=false docker://… docker://127.0.0.1:5000/…`.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::{env, error::Error, sync::Arc};

use ocm_registry::{Server, ServerOptions};
use ocm_transport::Memory;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let server =
        Server::bind(address, Arc::new(Memory::default()), ServerOptions::default()).await?;
    println!("serving on {}", server.local_addr());
    server.run(async { drop(tokio::signal::ctrl_c().await) }).await;
    Ok(())
}
