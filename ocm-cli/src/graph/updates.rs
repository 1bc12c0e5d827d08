//! Where update graphs come from, as flags and environment say.

use ocm_mirror::{Cincinnati, ClientId, GraphDirectory, RetryPolicy, UpdateGraphs};
use ocm_transport::{Client, ClientOptions, Credentials, TlsOptions, Verify};

use crate::{args::UpdatesArgs, chance, environment::Environment, halt::Halt, request::Retrying};

/// Returns who is asked.
///
/// # Errors
///
/// When certificates or proxies cannot be used, or what was typed makes no sense.
pub(crate) fn updates(
    args: &UpdatesArgs,
    environment: &Environment,
) -> Result<Box<dyn UpdateGraphs>, Halt> {
    if let Some(directory) = &args.graph_dir {
        return Ok(Box::new(GraphDirectory::new(directory)));
    }
    let client = client(args, Credentials::none(), environment)?;
    let retry = Retrying::new(args.retry)?.policy();
    Ok(Box::new(server(client, retry, environment)))
}

/// Returns the servers of the world, or the one that the environment names. They are asked in
/// the name of somebody else in each run.
pub(crate) fn server(client: Client, retry: RetryPolicy, environment: &Environment) -> Cincinnati {
    let id = ClientId::from_random(chance::bytes());
    let server = Cincinnati::new(client, retry, id);
    match environment.update_url() {
        Some(address) => server.with_ocp_updates(address),
        None => server,
    }
}

/// Returns a client that checks certificates.
///
/// # Errors
///
/// As [`updates`].
pub(crate) fn client(
    args: &UpdatesArgs,
    credentials: Credentials,
    environment: &Environment,
) -> Result<Client, Halt> {
    let tls = TlsOptions {
        verify: Verify::Always,
        system_roots: environment.system_roots(),
        ca_files: args.ca_file.clone(),
        certs_dirs: environment.certs_dirs(),
        cert_dir: None,
    };
    let options = ClientOptions::default()
        .with_tls(tls)
        .with_credentials(credentials)
        .with_proxies(environment.proxies());
    Ok(Client::new(options)?)
}
