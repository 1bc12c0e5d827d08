//! From what was typed to a job.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
    path::Path,
};

use crate::{
    args::{
        self, CatalogArgs, DemoArgs, GraphArgs, ListArgs, LowArgs, LowCommand, OutputArgs,
        ServeArgs, VersionArgs,
    },
    catalog,
    clock::Clock,
    config,
    console::{Colour, Console, Status, Stream},
    demo,
    environment::Environment,
    exit::Exit,
    graph, init, list, mirror,
    report::Complaint,
    request::{Request, UsageError},
    serve,
    session::Session,
    supervise::supervise,
    version,
};

/// What oc calls its plugin, and what people type then.
const PLUGIN: (&str, &str) = ("oc-mirror", "oc mirror");

/// Commands of oc-mirror that are not here.
const COMMANDS_TO_COME: [&str; 3] = ["delete", "completion", "describe"];

/// Something that takes its time.
#[derive(Debug)]
enum Job {
    Catalog(Box<CatalogArgs>),
    Mirror(Box<Request>),
    Demo(DemoArgs),
    Graph(Box<GraphArgs>),
    List(Box<ListArgs>),
    Serve(ServeArgs),
}

impl Job {
    async fn run(self, session: &mut Session) -> Exit {
        match self {
            Self::Mirror(request) => Box::pin(mirror::run(*request, session)).await,
            Self::Catalog(args) => catalog::run(*args, session).await,
            Self::Demo(args) => Box::pin(demo::run(args, session)).await,
            Self::Graph(args) => Box::pin(graph::run(*args, session)).await,
            Self::List(args) => Box::pin(list::run(*args, session)).await,
            Self::Serve(args) => serve::run(args, session).await,
        }
    }
}

/// Does what was typed.
pub(crate) fn main() -> Exit {
    let mut words = env::args_os();
    let program = program_name(words.next().as_ref());
    let environment = Environment::of_process();
    let words: Vec<_> = words.collect();
    if let Some(name) = unknown_command(&words) {
        let mut console = console(&OutputArgs::usual(), &environment);
        return refuse(&UsageError::Command { name }, &program, &mut console);
    }
    let args = match LowArgs::read(&program, words) {
        Ok(args) => args,
        Err(error) => return tell(&error),
    };
    let mut console = console(&args.output, &environment);
    if args.version {
        console.print(&format!("{program} version v{}\n", version::NUMBER));
        return Exit::SUCCESS;
    }
    let job = match args.command {
        Some(LowCommand::Version(args)) => return print_version(&args, &mut console),
        Some(LowCommand::Config(args)) => return config::run(&args, &mut console),
        Some(LowCommand::Init(args)) => return init::run(&args, &mut console),
        Some(LowCommand::Catalog(args)) => Job::Catalog(Box::new(args)),
        Some(LowCommand::Serve(args)) => Job::Serve(args),
        Some(LowCommand::Demo(args)) => Job::Demo(args),
        Some(LowCommand::Graph(args)) => Job::Graph(Box::new(args)),
        Some(LowCommand::List(args)) => Job::List(Box::new(args)),
        None => match Request::new(args, &environment) {
            Ok(request) => Job::Mirror(Box::new(request)),
            Err(error) => return refuse(&error, &program, &mut console),
        },
    };
    run(job, (program, console, environment))
}

/// Returns the command of oc-mirror that is typed and that is not here. Its flags are not either,
/// so it is looked for before they are.
fn unknown_command(words: &[OsString]) -> Option<String> {
    let mut words = words.iter().skip_while(|word| *word == "--v1" || *word == "--v2");
    let name = words.next()?.to_str().filter(|name| COMMANDS_TO_COME.contains(name))?;
    Some(name.to_owned())
}

/// Returns what the program is called by who types.
fn program_name(path: Option<&OsString>) -> String {
    let (file, typed) = PLUGIN;
    let name = path.map(Path::new).and_then(Path::file_name);
    let is_plugin = name.is_some_and(|name| name == file);
    if is_plugin { typed.to_owned() } else { version::NAME.to_owned() }
}

/// Prints what clap has to say: help, or what cannot be understood.
fn tell(error: &clap::Error) -> Exit {
    let is_help = !error.use_stderr();
    match error.print() {
        Ok(()) if is_help => Exit::SUCCESS,
        // Nobody listens: help that nobody reads has done no harm.
        Err(_) if is_help => Exit::SUCCESS,
        _ => Exit::GENERIC,
    }
}

fn console(args: &OutputArgs, environment: &Environment) -> Console {
    let wanted = if environment.wants_colour() { Colour::Always } else { Colour::Never };
    let colour = |is_terminal: bool| if is_terminal { wanted } else { Colour::Never };
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let is_drawable = stderr.is_terminal() && environment.can_draw();
    let out = Stream { colour: colour(stdout.is_terminal()), writer: Box::new(stdout) };
    let err = Stream { colour: colour(stderr.is_terminal()), writer: Box::new(stderr) };
    let console = Console::new(args, Clock::of_system(), (out, err));
    if is_drawable { console.with_status(Status::on_stderr()) } else { console }
}

fn print_version(args: &VersionArgs, console: &mut Console) -> Exit {
    if args.short.is_on() && args.output.is_none() {
        console.print(&format!("Client Version: v{}\n", version::NUMBER));
    } else {
        version::print(args.output, console);
    }
    Exit::SUCCESS
}

/// Says what makes no sense, and what would.
fn refuse(error: &UsageError, program: &str, console: &mut Console) -> Exit {
    console.complain(&Complaint::of(error).with_hint(error.hint()));
    let usage = args::command(program).render_usage();
    console.print_usage(&format!("\n{usage}\n\nFor more: {program} --help\n"));
    Exit::GENERIC
}

fn run(job: Job, (program, console, environment): (String, Console, Environment)) -> Exit {
    let ended = supervise(|stopping| {
        let mut session = Session { program, console, environment, stopping };
        async move { job.run(&mut session).await }
    });
    ended.unwrap_or(Exit::GENERIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_are_not_here_are_known() {
        let unknown = |words: &str| {
            unknown_command(&words.split_whitespace().map(OsString::from).collect::<Vec<_>>())
        };
        assert_eq!(unknown("delete --generate -c x").as_deref(), Some("delete"));
        assert_eq!(unknown("--v2 describe archive").as_deref(), Some("describe"));
        assert_eq!(unknown("-c init file://delete"), None);
        assert_eq!(unknown("serve delete"), None);
        assert_eq!(unknown(""), None);
    }

    #[test]
    fn oc_calls_its_plugin_by_a_name_of_its_own() {
        let name = |path: &str| program_name(Some(&OsString::from(path)));
        assert_eq!(name("/usr/bin/ocm"), "ocm");
        assert_eq!(name("target/debug/ocm"), "ocm");
        assert_eq!(name("/usr/local/bin/oc-mirror"), "oc mirror");
        assert_eq!(name("oc-mirror"), "oc mirror");
        assert_eq!(program_name(None), "ocm");
    }
}
