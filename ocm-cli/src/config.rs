//! Commands about configurations: nothing is mirrored, and nobody is asked.

use std::path::Path;

use crate::{
    args::{ConfigArgs, ConfigCommand},
    configuration,
    console::Console,
    exit::Exit,
    files,
    report::Complaint,
};

mod check;

/// Does what was typed after `config`.
pub(crate) fn run(args: &ConfigArgs, console: &mut Console) -> Exit {
    match &args.command {
        ConfigCommand::Check(args) => check::run(args, console),
        ConfigCommand::Convert(args) => convert(&args.file, console),
        ConfigCommand::Schema => {
            console.print(&ocm_config::json_schema());
            Exit::SUCCESS
        }
    }
}

/// Prints a configuration as v2alpha1; what changed is said beside it as well as in it.
fn convert(file: &Path, console: &mut Console) -> Exit {
    let bytes = match files::read_at_most(file, ocm_config::SIZE_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) => {
            console.complain(&Complaint::of(&error).with_hint(error.hint()));
            return Exit::GENERIC;
        }
    };
    match ocm_config::convert(&bytes) {
        Ok(converted) => {
            configuration::tell(file, &converted.warnings, console);
            console.print(&converted.yaml);
            Exit::SUCCESS
        }
        Err(faults) => {
            configuration::complain(file, &bytes, &faults, console);
            Exit::GENERIC
        }
    }
}
