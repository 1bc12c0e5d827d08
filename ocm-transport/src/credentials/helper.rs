use std::{io, process::Stdio, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    time::timeout,
};

use super::Login;

/// How long a helper may take: it may have to ask its own server, and nobody answers a prompt.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of a helper's answer that are read.
const ANSWER_LIMIT: u64 = 64 << 10;
/// How a helper says that it knows nothing of a server: there is no other sign in the protocol.
///
/// Source: <https://github.com/docker/docker-credential-helpers#credential-helper-commands>.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// How a credential helper failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelperError {
    /// It could not be started, or spoken to.
    #[error("`{program}` could not be run")]
    Run {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It did not answer in time.
    #[error("no answer within {} seconds", PATIENCE.as_secs())]
    Slow,
    /// It said no.
    #[error("it ended with {status}: {said}")]
    Refused {
        /// How it ended.
        status: std::process::ExitStatus,
        /// The first line it wrote.
        said: String,
    },
    /// Its answer is not what the protocol asks for. The answer is not repeated.
    #[error("its answer is not understood")]
    Answer,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    secret: String,
}

/// Asks `program` for what it keeps for `server`; `None` where it keeps nothing.
pub(super) async fn ask(program: &str, server: &str) -> Result<Option<Login>, HelperError> {
    timeout(PATIENCE, run(program, server)).await.unwrap_or(Err(HelperError::Slow))
}

async fn run(program: &str, server: &str) -> Result<Option<Login>, HelperError> {
    let failed = |source| HelperError::Run { program: program.to_owned(), source };
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that knows its answer without asking may have gone already.
        match stdin.write_all(server.as_bytes()).await {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(failed(error)),
            _ => {}
        }
    }
    let mut said = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(ANSWER_LIMIT).read_to_end(&mut said).await.map_err(failed)?;
    }
    let status = child.wait().await.map_err(failed)?;
    if !status.success() {
        let said = String::from_utf8_lossy(&said);
        let said = said.lines().next().unwrap_or_default().trim();
        if said == NOT_FOUND {
            return Ok(None);
        }
        let said = said.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(HelperError::Refused { status, said });
    }
    let answer: Option<Answer> = serde_json::from_slice(&said).ok();
    let Answer { username, secret } = answer.ok_or(HelperError::Answer)?;
    Ok((!secret.is_empty()).then(|| Login::basic(username, secret)))
}
