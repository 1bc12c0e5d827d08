//! `ocm serve`: an archive, or a layout directory, as a registry.

use std::{path::Path, sync::Arc};

use ocm_registry::{Access, Server, ServerOptions};
use ocm_transport::{Transport, archive::ArchiveReader, layout::OciLayout};

use crate::{args::ServeArgs, exit::Exit, halt::Halt, session::Session};

/// Serves until the program is told to stop.
pub(crate) async fn run(args: ServeArgs, session: &mut Session) -> Exit {
    let ended = serve(&args, session).await;
    session.end(ended)
}

async fn serve(args: &ServeArgs, session: &mut Session) -> Result<Exit, Halt> {
    let access = if args.writable.is_on() { Access::ReadWrite } else { Access::ReadOnly };
    let opened = open(plain(&args.directory), access);
    let place = session.stopping.clone().unless(opened).await??;
    let what = place.to_string();
    let options = ServerOptions::default().with_access(access);
    let server = Server::bind(args.listen, place, options).await?;
    session.console.info(format!("serving {what} at http://{}", server.local_addr()));
    let mut stopping = session.stopping.clone();
    let stopped = async move {
        stopping.told().await;
    };
    server.run(stopped).await;
    Ok(session.stopping.told().await.into())
}

/// Returns the directory without the prefix that it has elsewhere on the command line.
fn plain(typed: &Path) -> &Path {
    let rest = typed.to_str().and_then(|text| text.strip_prefix("file://"));
    rest.filter(|rest| !rest.is_empty()).map_or(typed, Path::new)
}

/// Opens what is there: an archive has volumes, a layout says that it is one. What is to be
/// written can only be a layout.
async fn open(path: &Path, access: Access) -> Result<Arc<dyn Transport>, Halt> {
    Ok(match access {
        Access::ReadWrite => Arc::new(OciLayout::create(path).await?),
        Access::ReadOnly if path.join("oci-layout").exists() => {
            Arc::new(OciLayout::open(path).await?)
        }
        Access::ReadOnly => Arc::new(ArchiveReader::open(path).await?),
    })
}
