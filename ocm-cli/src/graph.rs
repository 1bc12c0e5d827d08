//! `ocm graph`: what update graphs say, without anything being mirrored.

use crate::{
    args::{GraphArgs, GraphCommand},
    exit::Exit,
    mirror::Session,
};

mod dot;
mod path;
mod select;
mod updates;

pub(crate) use path::hops;
pub(crate) use updates::{client, server, updates};

/// Answers what was asked.
pub(crate) async fn run(args: GraphArgs, session: &mut Session) -> Exit {
    let ended = match args.command {
        GraphCommand::Path(args) => path::run(&args, session).await,
        GraphCommand::Select(args) => select::run(&args, session).await,
    };
    session.end(ended)
}
