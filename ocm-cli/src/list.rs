//! `ocm list`: what there is to mirror.

use crate::{
    args::{ListArgs, ListCommand},
    exit::Exit,
    session::Session,
};

mod minors;
mod operators;
mod releases;

/// Answers what was asked.
pub(crate) async fn run(args: ListArgs, session: &mut Session) -> Exit {
    let ended = match args.command {
        ListCommand::Operators(args) => operators::run(&args, session).await,
        ListCommand::Releases(args) => releases::run(&args, session).await,
    };
    session.end(ended)
}
