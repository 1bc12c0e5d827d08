use ocm_mirror::Group;

use crate::{
    console::Console,
    environment::Environment,
    exit::Exit,
    halt::Halt,
    supervise::{Stop, Stopping},
};

/// What a job has of the world.
#[derive(Debug)]
pub(crate) struct Session {
    /// What the program is called by who types.
    pub(crate) program: String,
    pub(crate) console: Console,
    pub(crate) environment: Environment,
    pub(crate) stopping: Stopping,
}

impl Session {
    /// Waits for `work`, which asks others, and says so where they take their time: `doing` is
    /// what it does.
    ///
    /// # Errors
    ///
    /// The reason to stop; `work` is dropped then.
    pub(crate) async fn wait<T>(
        &mut self,
        doing: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Stop> {
        let Self { console, stopping, .. } = self;
        let tell =
            || console.info(format!("still {doing}: who is asked takes long, or is asked again"));
        stopping.unless_telling(work, tell).await
    }

    /// Ends a job, saying why.
    pub(crate) fn end(&mut self, ended: Result<Exit, Halt>) -> Exit {
        self.console.clear();
        match ended {
            Ok(exit) => exit,
            Err(Halt::Said) => Exit::GENERIC,
            Err(Halt::SaidOfOperators) => Exit::of_groups([Group::Operator]),
            Err(Halt::Failed(complaint)) => {
                self.console.complain(&complaint);
                Exit::GENERIC
            }
            Err(Halt::Stopped(stop)) => {
                self.console.warn("stopped before anything was copied");
                stop.into()
            }
        }
    }
}
