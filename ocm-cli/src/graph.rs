//! `ocm graph`: what update graphs say, without anything being mirrored.

use ocm_mirror::PathRules;

use crate::{
    args::{GraphArgs, GraphCommand},
    exit::Exit,
    session::Session,
};

mod copy_data;
mod dot;
mod path;
mod select;
mod updates;

pub(crate) use path::hops;
pub(crate) use updates::{client, server, updates};

/// What is done while update graphs are waited for.
pub(crate) const ASKING: &str = "asking for update graphs";

/// Says that not all versions count, as the environment has it: who forgot it wonders.
pub(crate) fn notice_of_filter(rules: &PathRules) -> Option<String> {
    let pattern = rules.ends.as_ref()?;
    Some(format!(
        "`VERSION_FILTER`: only versions that `{pattern}` matches count as the newest or the oldest of \
         a channel; whoever mirrors from an archive sets it, too"
    ))
}

/// Answers what was asked.
pub(crate) async fn run(args: GraphArgs, session: &mut Session) -> Exit {
    let ended = match args.command {
        GraphCommand::Path(args) => path::run(&args, session).await,
        GraphCommand::CopyData(args) => copy_data::run(&args),
        GraphCommand::Select(args) => select::run(&args, session).await,
    };
    session.end(ended)
}
