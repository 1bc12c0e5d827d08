use std::time::Duration;

/// How a registry serves.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    pub(crate) access: Access,
    pub(crate) manifest_limit: usize,
    pub(crate) max_connections: usize,
    pub(crate) max_uploads: usize,
    pub(crate) upload_idle: Duration,
    pub(crate) stall_timeout: Duration,
    pub(crate) grace: Duration,
}

/// Who may change what is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Whoever can connect, where the place below can be written.
    #[default]
    ReadWrite,
    /// Nobody, whatever the place below can do.
    ReadOnly,
}

impl Default for ServerOptions {
    /// Takes manifests up to 4 MiB, which the specification asks every registry to accept.
    fn default() -> Self {
        Self {
            access: Access::default(),
            manifest_limit: 4 << 20,
            // Well under the 1024 descriptors that most systems give a process.
            max_connections: 512,
            max_uploads: 1000,
            upload_idle: Duration::from_hours(1),
            stall_timeout: Duration::from_mins(5),
            grace: Duration::from_secs(10),
        }
    }
}

impl ServerOptions {
    /// Says who may change what is served.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Refuses manifests longer than `bytes` with 413.
    #[must_use]
    pub fn with_manifest_limit(self, bytes: usize) -> Self {
        Self { manifest_limit: bytes, ..self }
    }

    /// Lets at most this many connections be open, and at least one; more wait to be accepted.
    #[must_use]
    pub fn with_max_connections(self, max_connections: usize) -> Self {
        Self { max_connections, ..self }
    }

    /// Lets at most this many uploads be under way; more are told to come later.
    #[must_use]
    pub fn with_max_uploads(self, max_uploads: usize) -> Self {
        Self { max_uploads, ..self }
    }

    /// Gives up an upload that nobody has touched for this long.
    #[must_use]
    pub fn with_upload_idle(self, upload_idle: Duration) -> Self {
        Self { upload_idle, ..self }
    }

    /// Gives up a request whose body has not moved for this long.
    #[must_use]
    pub fn with_stall_timeout(self, stall_timeout: Duration) -> Self {
        Self { stall_timeout, ..self }
    }

    /// Waits this long, on shutdown, for requests under way.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }
}
