use std::{sync::Arc, time::Duration};

use ocm_registry::ServerOptions;
use ocm_testkit::{
    Loopback,
    faults::{BasicAuth, TokenAuth},
};
use reqwest::{Response, StatusCode};

use super::{client, filled};

async fn behind(auth: &TokenAuth) -> Loopback {
    let (memory, _digest) = filled().await;
    let (place, options) = (Arc::new(memory), ServerOptions::default());
    Loopback::serve_with(place, options, |router| auth.in_front_of(router)).await.unwrap()
}

fn challenge(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    answer.headers()["www-authenticate"].to_str().unwrap().to_owned()
}

async fn token(answer: Response) -> String {
    assert_eq!(answer.status(), StatusCode::OK);
    let text = answer.text().await.unwrap();
    let (_, rest) = text.split_once(r#""token":""#).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_name_and_a_password() {
    let auth = BasicAuth::new("user", "pass:word");
    let (memory, _digest) = filled().await;
    let front = |router| auth.in_front_of(router);
    let registry =
        Loopback::serve_with(Arc::new(memory), ServerOptions::default(), front).await.unwrap();
    let url = format!("{}/v2/", registry.url());
    let get = || client().get(&url);
    assert!(challenge(&get().send().await.unwrap()).starts_with("Basic "));
    for (password, status) in [("pass:word", 200), ("pass", 401)] {
        let answer = get().basic_auth("user", Some(password)).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
    assert_eq!((auth.admitted(), auth.refused()), (1, 2));
}

#[tokio::test]
async fn a_token_for_what_is_asked() {
    let auth = TokenAuth::new("user", "password");
    let registry = behind(&auth).await;
    let manifest = format!("{}/v2/app/manifests/v1", registry.url());
    let asked = challenge(&client().get(&manifest).send().await.unwrap());
    let realm = format!("{}/token", registry.url());
    let expected =
        format!(r#"Bearer realm="{realm}",service="ocm-testkit",scope="repository:app:pull""#);
    assert_eq!(asked, expected);
    let get = |scope: &str, password: &str| {
        let url = format!("{realm}?service=ocm-testkit&scope={scope}");
        client().get(url).basic_auth("user", Some(password)).send()
    };
    assert_eq!(get("repository:app:pull", "wrong").await.unwrap().status(), 401);
    let pull = token(get("repository:app:pull", "password").await.unwrap()).await;
    let other = token(get("repository:other:pull", "password").await.unwrap()).await;
    for (token, status) in [(&pull, 200), (&other, 401), (&"forged".to_owned(), 401)] {
        let answer = client().get(&manifest).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
    let granted: Vec<bool> = auth.token_requests().iter().map(|one| one.granted).collect();
    assert_eq!(granted, [false, true, true]);
    assert_eq!(auth.token_requests()[1].scopes, ["repository:app:pull"]);
    assert_eq!(auth.challenges(), 3);
    auth.revoke_all();
    let answer = client().get(&manifest).bearer_auth(&pull).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn a_mount_needs_both_repositories() {
    let auth = TokenAuth::new("user", "password");
    let registry = behind(&auth).await;
    let digest = ocm_oci::Digest::of(b"");
    let url = format!("{}/v2/b/blobs/uploads/?mount={digest}&from=app", registry.url());
    let asked = challenge(&client().post(&url).send().await.unwrap());
    assert!(asked.ends_with(r#"scope="repository:app:pull repository:b:pull,push""#), "{asked}");
    let realm =
        format!("{}/token?scope=repository:app:pull&scope=repository:b:pull,push", registry.url());
    let answer = client().get(realm).basic_auth("user", Some("password")).send().await.unwrap();
    let token = token(answer).await;
    assert_eq!(client().post(&url).bearer_auth(token).send().await.unwrap().status(), 202);
}

#[tokio::test]
async fn others_read_and_refresh_tokens_are_taken() {
    let auth = TokenAuth::new("user", "password")
        .with_anonymous_pull()
        .with_identity_token("identity")
        .with_lifetime(Duration::from_mins(1));
    let registry = behind(&auth).await;
    let realm = format!("{}/token", registry.url());
    let scope = "repository:app:pull,push";
    let anonymous = client().get(format!("{realm}?scope={scope}")).send().await.unwrap();
    let anonymous = token(anonymous).await;
    let manifest = format!("{}/v2/app/manifests/v1", registry.url());
    let answer = client().get(&manifest).bearer_auth(&anonymous).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer = client().post(format!("{}/v2/app/blobs/uploads/", registry.url()));
    let answer = answer.bearer_auth(&anonymous).send().await.unwrap();
    challenge(&answer);
    for (refresh, status) in [("identity", 200), ("other", 401)] {
        let form = format!("grant_type=refresh_token&refresh_token={refresh}&scope={scope}");
        let answer = client().post(&realm).body(form).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(status != 200 || answer.text().await.unwrap().contains(r#""expires_in":60"#));
    }
}
