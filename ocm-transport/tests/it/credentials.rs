//! Who the files of container tools say we are.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use ocm_oci::{Host, RepoName};
use ocm_transport::{CredentialFiles, Credentials, CredentialsError, Login};
use tempfile::TempDir;

use crate::support::chain;

fn write(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn only(path: &Path) -> CredentialFiles {
    CredentialFiles { explicit: Some(path.to_owned()), search: Vec::new() }
}

async fn lookup(credentials: &Credentials, image: &str) -> Result<Option<Login>, CredentialsError> {
    let (host, repository) = image.split_once('/').unwrap_or((image, ""));
    let host: Host = host.parse().unwrap();
    let repository: Option<RepoName> = repository.parse().ok();
    credentials.lookup(&host, repository.as_ref()).await
}

/// User names say which entry was found; every password is `pw`.
const AUTHS: &str = r#"{
  "auths": {
    "quay.io": {"auth": "aG9zdDpwdw=="},
    "quay.io/team": {"auth": "dGVhbTpwdw=="},
    "quay.io/team/app": {"auth": "YXBwOnB3"},
    "https://index.docker.io/v1/": {"auth": "aHViOnB3"},
    "http://old.io:5000/v2/": {"username": "old", "password": "pw"},
    "only.io/part": {"auth": "cGFydDpwdw"},
    "tokens.io": {"auth": "PHRva2VuPjpwdw=="},
    "identity.io": {"auth": "eDp5", "identitytoken": "pw"},
    "registry.io": {"registrytoken": "pw"},
    "zeros.io": {"auth": "emVyb3M6cHcAAAA="},
    "colons.io": {"auth": "Y29sb25zOnB3OnB3"},
    "empty.io": {},
    "broken.io": {"auth": "!"},
    "nameless.io": {"auth": "bm9jb2xvbg=="}
  }
}"#;

#[tokio::test]
async fn the_longest_path_that_is_known_decides() {
    let dir = tempfile::tempdir().unwrap();
    let credentials = Credentials::load(&only(&write(&dir, "auth.json", AUTHS))).unwrap();
    let basic = |user: &str| Some(Login::basic(user, "pw"));
    let identity = Some(Login::basic("<token>", "pw"));
    let table = [
        ("quay.io", basic("host")),
        ("quay.io/other/app", basic("host")),
        ("quay.io/team", basic("team")),
        ("quay.io/team/other", basic("team")),
        ("quay.io/teams/other", basic("host")),
        ("quay.io/team/app", basic("app")),
        ("quay.io/team/app/deeper", basic("app")),
        ("quay.io:8443/team/app", None),
        ("docker.io/library/nginx", basic("hub")),
        ("old.io:5000/x", basic("old")),
        ("only.io/part/x", basic("part")),
        ("only.io/other", None),
        ("only.io", None),
        ("tokens.io/x", identity.clone()),
        ("identity.io/x", identity),
        ("registry.io/x", Some(Login::registry_token("pw"))),
        ("zeros.io/x", basic("zeros")),
        ("colons.io/x", Some(Login::basic("colons", "pw:pw"))),
        ("empty.io/x", None),
        ("unknown.io/x", None),
    ];
    for (image, expected) in table {
        assert_eq!(lookup(&credentials, image).await.unwrap(), expected, "{image}");
    }
    for (image, expected) in [("broken.io", "not Base64"), ("nameless.io", "not `user:password`")] {
        let error = lookup(&credentials, image).await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("auth.json"), "{error}");
        assert!(error.contains(&format!("`{image}`")), "{error}");
    }
}

#[tokio::test]
async fn the_first_file_that_knows_decides() {
    let dir = tempfile::tempdir().unwrap();
    let first = write(&dir, "auth.json", r#"{"auths":{"a.io":{"auth":"Zmlyc3Q6cHc="}}}"#);
    let second = write(
        &dir,
        "config.json",
        r#"{"auths":{"a.io":{"auth":"c2Vjb25kOnB3"},"b.io":{"auth":"c2Vjb25kOnB3"}},"psFormat":1}"#,
    );
    let legacy = write(&dir, ".dockercfg", r#"{"c.io":{"auth":"bGVnYWN5OnB3","email":"e"}}"#);
    let empty = write(&dir, "empty.json", " \n");
    let missing = dir.path().join("missing.json");
    let behind = first.join("auth.json");
    let search = vec![missing, behind, empty, first, second, legacy];
    let credentials = Credentials::load(&CredentialFiles { explicit: None, search }).unwrap();
    for (image, user) in [("a.io/x", "first"), ("b.io/x", "second"), ("c.io/x", "legacy")] {
        let expected = Some(Login::basic(user, "pw"));
        assert_eq!(lookup(&credentials, image).await.unwrap(), expected, "{image}");
    }
    assert_eq!(lookup(&credentials, "d.io/x").await.unwrap(), None);
}

#[tokio::test]
async fn a_chosen_file_is_the_only_one_and_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let search = vec![write(&dir, "auth.json", AUTHS)];
    let chosen = write(&dir, "chosen.json", "{}");
    let files = CredentialFiles { explicit: Some(chosen), search: search.clone() };
    let credentials = Credentials::load(&files).unwrap();
    assert_eq!(lookup(&credentials, "quay.io/team").await.unwrap(), None);
    let files = CredentialFiles { explicit: Some(dir.path().join("missing.json")), search };
    let error = Credentials::load(&files).unwrap_err();
    assert!(chain(&error).contains("missing.json"), "{}", chain(&error));
}

#[test]
fn a_broken_file_is_named_and_not_quoted() {
    let dir = tempfile::tempdir().unwrap();
    let table = [
        (
            "{\n  \"auths\": {\"quay.io\": {\"auth\": \"secret\"}",
            "line 2, column 41",
            "end too early",
        ),
        ("{\n\"auths\": secret}", "line 2, column 10", "are not valid JSON"),
        ("{\"auths\": \"secret\"}", "line 1, column 18", "do not have the form"),
        (
            "{\"auths\": {\"a\": {\"auth\": [\"secret\"]}}}",
            "line 1, column",
            "do not have the form",
        ),
    ];
    for (text, place, fault) in table {
        let path = write(&dir, "auth.json", text);
        let search = CredentialFiles { explicit: None, search: vec![path.clone()] };
        for files in [only(&path), search] {
            let error = Credentials::load(&files).unwrap_err();
            let said = format!("{} {error:?}", chain(&error));
            assert!(said.contains(place) && said.contains(fault), "{said}");
            assert!(said.contains("auth.json"), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }
}

#[test]
fn nothing_shows_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let text =
        r#"{"auths":{"a.io":{"auth":"c2VjcmV0","password":"secret","identitytoken":"secret"}}}"#;
    let credentials = Credentials::load(&only(&write(&dir, "auth.json", text))).unwrap();
    let logins = [
        Login::basic("me", "secret"),
        Login::basic("<token>", "secret"),
        Login::registry_token("secret"),
    ];
    for login in logins {
        let shown =
            format!("{login} {login:?} {credentials:?} {:?}", Credentials::fixed(login.clone()));
        assert!(!shown.contains("secret") && !shown.contains("c2VjcmV0"), "{shown}");
    }
}

/// As the programs that desktop systems come with.
const HELPER: &str = r#"#!/bin/sh
read -r server
echo "$1 $server" >> "$(dirname "$0")/log"
case "$server" in
  helped.io) echo '{"ServerURL":"helped.io","Username":"helped","Secret":"pw"}' ;;
  token.io) echo '{"Username":"<token>","Secret":"pw"}' ;;
  https://index.docker.io/v1/) echo '{"Username":"hub","Secret":"pw"}' ;;
  broken.io) echo 'secret' ;;
  failing.io) echo 'the vault is sealed'; exit 1 ;;
  *) echo 'credentials not found in native keychain'; exit 1 ;;
esac
"#;

const HELPED: &str = r#"{
  "auths": {"helped.io": {}, "plain.io": {"auth": "cGxhaW46cHc="}},
  "credHelpers": {"special.io": "absent"},
  "credsStore": "ocmtest"
}"#;

/// Helpers are found by the system, so the tests of them run with another PATH.
#[test]
fn helpers_are_asked() {
    let dir = tempfile::tempdir().unwrap();
    let helper = write(&dir, "docker-credential-ocmtest", HELPER);
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    write(&dir, "config.json", HELPED);
    let path = format!("{}:{}", dir.path().display(), std::env::var_os("PATH").unwrap().display());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "credentials::within_another_path", "--ignored", "--nocapture"])
        .env("PATH", path)
        .env("OCM_TEST_DIR", dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    let asked = log.lines().filter(|line| *line == "get helped.io").count();
    assert_eq!(asked, 1, "{log}");
}

#[tokio::test]
#[ignore = "helpers_are_asked runs it"]
async fn within_another_path() {
    let dir = PathBuf::from(std::env::var_os("OCM_TEST_DIR").unwrap());
    let credentials = Credentials::load(&only(&dir.join("config.json"))).unwrap();
    let basic = |user: &str| Some(Login::basic(user, "pw"));
    let many = futures::future::join_all((0..8).map(|_| lookup(&credentials, "helped.io/x"))).await;
    assert!(many.into_iter().all(|login| login.unwrap() == basic("helped")));
    assert_eq!(lookup(&credentials, "plain.io/x").await.unwrap(), basic("plain"));
    assert_eq!(lookup(&credentials, "docker.io/library/x").await.unwrap(), basic("hub"));
    let token = Some(Login::basic("<token>", "pw"));
    assert_eq!(lookup(&credentials, "token.io/x").await.unwrap(), token);
    assert_eq!(lookup(&credentials, "unknown.io/x").await.unwrap(), None);
    let table = [
        ("broken.io", "its answer is not understood"),
        ("failing.io", "exit status: 1: the vault is sealed"),
        ("special.io", "`docker-credential-absent` could not be run"),
    ];
    for (image, expected) in table {
        let error = lookup(&credentials, image).await.unwrap_err();
        let said = chain(&error);
        assert!(said.contains(expected) && said.contains("config.json"), "{said}");
        assert!(!format!("{said} {error:?}").contains("secret"), "{said}");
    }
}
