//! `ocm serve`: an archive, or a layout directory, as a registry.

use std::{path::Path, sync::Arc};

use ocm_registry::{Access, Server, ServerOptions};
use ocm_transport::{Transport, archive::ArchiveReader};

use crate::{args::ServeArgs, exit::Exit, halt::Halt, mirror::Session};

/// Serves until the program is told to stop.
pub(crate) async fn run(args: ServeArgs, session: &mut Session) -> Exit {
    let ended = serve(&args, session).await;
    session.end(ended)
}

async fn serve(args: &ServeArgs, session: &mut Session) -> Result<Exit, Halt> {
    let place = open(&args.directory, session).await?;
    let options = ServerOptions::default().with_access(Access::ReadOnly);
    let server = Server::bind(args.listen, place, options).await?;
    let address = server.local_addr();
    session.console.info(format!("serving {} at http://{address}", args.directory.display()));
    session.console.info(format!("read it with `skopeo list-tags docker://{address}/REPOSITORY`"));
    let mut stopping = session.stopping.clone();
    let stopped = async move {
        stopping.told().await;
    };
    server.run(stopped).await;
    Ok(session.stopping.told().await.into())
}

async fn open(directory: &Path, session: &mut Session) -> Result<Arc<dyn Transport>, Halt> {
    let reader = session.stopping.unless(ArchiveReader::open(directory)).await??;
    Ok(Arc::new(reader))
}
