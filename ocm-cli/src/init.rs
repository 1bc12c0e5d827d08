//! A configuration to begin with: made here, nobody is asked.

use ocm_config::{Template, TemplateError};

use crate::{
    args::{InitArgs, InitFormat},
    console::Console,
    exit::Exit,
    report::Complaint,
};

/// Prints a configuration.
pub(crate) fn run(args: &InitArgs, console: &mut Console) -> Exit {
    let template = match Template::new(args.versions.iter().map(String::as_str)) {
        Ok(template) => template,
        Err(error) => {
            let hint = format!("{}: `init 4.18`", TemplateError::HINT);
            console.complain(&Complaint::of(&error).with_hint(Some(hint)));
            return Exit::GENERIC;
        }
    };
    let template = match &args.registry {
        Some(registry) => template.with_registry(registry),
        None => template,
    };
    match args.output {
        InitFormat::Yaml => console.print(&template.to_yaml()),
        InitFormat::Json => match template.to_json() {
            Ok(json) => console.print(&json),
            Err(faults) => {
                console.complain(&Complaint::of(&faults));
                return Exit::GENERIC;
            }
        },
    }
    Exit::SUCCESS
}
