//! Why a job ends before it is done.

use std::error::Error;

use ocm_config::ArchiveSize;
use ocm_mirror::{
    ArchivedError, CatalogFilesError, Failure, PlanError, PrepareError, UpdateGraphError,
};
use ocm_registry::ServerError;
use ocm_transport::{
    ClientError, CredentialsError, TransportError,
    archive::{ArchiveError, LayoutError},
    layout::OciLayoutError,
};

use crate::{
    environment::EnvironmentError, files::FileError, report::Complaint, request::UsageError,
    supervise::Stop,
};

/// Why a job ends before it is done.
#[derive(Debug)]
pub(crate) enum Halt {
    /// Something is wrong, and has to be said.
    Failed(Box<Complaint>),
    /// Something is wrong, and was said.
    Said,
    /// Something is wrong with a catalog, or with what is selected of it, and was said.
    SaidOfOperators,
    /// It was told to.
    Stopped(Stop),
}

impl Halt {
    /// Makes one of an error, and of what may help.
    fn of(error: &dyn Error, hint: Option<String>) -> Self {
        Complaint::of(error).with_hint(hint).into()
    }
}

impl From<Complaint> for Halt {
    fn from(complaint: Complaint) -> Self {
        Self::Failed(Box::new(complaint))
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

impl From<FileError> for Halt {
    fn from(error: FileError) -> Self {
        Self::of(&error, error.hint())
    }
}

impl From<CatalogFilesError> for Halt {
    fn from(error: CatalogFilesError) -> Self {
        match error {
            CatalogFilesError::Read { path, source } => FileError::Read { path, source }.into(),
            other => Self::of(&other, None),
        }
    }
}

impl From<EnvironmentError> for Halt {
    fn from(error: EnvironmentError) -> Self {
        Self::of(&error, Some(format!("set `{}` to such a number, or unset it", error.name)))
    }
}

impl From<ArchiveError> for Halt {
    fn from(error: ArchiveError) -> Self {
        Self::of(&error, error.hint())
    }
}

impl From<OciLayoutError> for Halt {
    fn from(error: OciLayoutError) -> Self {
        Self::of(&error, error.hint())
    }
}

impl From<ArchivedError> for Halt {
    fn from(error: ArchivedError) -> Self {
        let hint = "mirror to disk again, and carry that archive over".to_owned();
        Self::of(&error, Some(hint))
    }
}

impl From<LayoutError> for Halt {
    fn from(error: LayoutError) -> Self {
        let least = match &error {
            LayoutError::TooSmall { least, .. } => ArchiveSize::at_least(*least),
            _ => None,
        };
        let hint = match (&error, least) {
            (_, Some(least)) => Some(format!("write `archiveSize: {}` or more", least.gib())),
            (LayoutError::TooMany { .. }, None) => Some("raise `archiveSize`".to_owned()),
            _ => None,
        };
        Self::of(&error, hint)
    }
}

impl From<PlanError> for Halt {
    fn from(error: PlanError) -> Self {
        Self::of(&error, None)
    }
}

impl From<PrepareError> for Halt {
    fn from(error: PrepareError) -> Self {
        Self::of(&error, None)
    }
}

impl From<CredentialsError> for Halt {
    fn from(error: CredentialsError) -> Self {
        let hint = "log in again (`podman login`, `docker login`), or name another file with \
                    `--authfile`";
        Self::of(&error, Some(hint.to_owned()))
    }
}

impl From<UpdateGraphError> for Halt {
    fn from(error: UpdateGraphError) -> Self {
        Complaint::from(error).into()
    }
}

impl From<UpdateGraphError> for Complaint {
    fn from(error: UpdateGraphError) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self::of(&error).with_hint(hint)
    }
}

impl From<ClientError> for Halt {
    fn from(error: ClientError) -> Self {
        let hint = match &error {
            ClientError::Tls(_) => {
                "`--ca-file` takes a file with certificates in PEM; certs.d directories hold \
                 `*.crt`, and `*.cert` with `*.key`"
            }
            _ => "write `HTTPS_PROXY=http://HOST:PORT`",
        };
        Self::of(&error, Some(hint.to_owned()))
    }
}

impl From<&TransportError> for Halt {
    fn from(error: &TransportError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Complaint::from(failure).into()
    }
}

impl From<Failure> for Complaint {
    fn from(Failure { chain, hint, .. }: Failure) -> Self {
        Self::told(chain, hint)
    }
}

impl From<UsageError> for Halt {
    fn from(error: UsageError) -> Self {
        Self::of(&error, error.hint())
    }
}

impl From<ServerError> for Halt {
    fn from(error: ServerError) -> Self {
        let hint = "choose another address with `--listen`, such as `127.0.0.1:0`".to_owned();
        Self::of(&error, Some(hint))
    }
}
