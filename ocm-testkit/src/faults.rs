//! Servers that misbehave on demand, and servers that ask who is there.
//!
//! ```text
//! client ─► TcpProxy ─► TLS ─► Faults ─► TokenAuth ─► registry over any place
//!           cuts,       made   rules,     or           honest
//!           delays,     up CA  a log      BasicAuth
//!           counts
//! ```
//!
//! Each is a thing of its own: a test puts together what it needs.

mod auth;
mod log;
mod proxy;
mod registry;
mod rule;
mod tap;
mod tls;
mod token;

pub use auth::BasicAuth;
pub use log::Logged;
pub use proxy::{Conduct, TcpProxy};
pub use registry::{FaultRegistry, Faults};
pub use rule::{Fault, Rule};
pub use tls::{Age, Authority, CertificateError, Identity};
pub use token::{TokenAuth, TokenRequest};
