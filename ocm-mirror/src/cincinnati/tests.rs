use ocm_transport::ClientOptions;

use super::*;

fn cincinnati() -> Cincinnati {
    let client = Client::new(ClientOptions::default()).unwrap();
    Cincinnati::new(client, RetryPolicy::default(), ClientId::from_random([0xff; 16]))
}

#[test]
fn an_id_is_a_uuid_of_version_4() {
    let id = |byte| ClientId::from_random([byte; 16]).to_string();
    assert_eq!(id(0), "00000000-0000-4000-8000-000000000000");
    assert_eq!(id(0xff), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

#[test]
fn keys_are_sorted_and_what_the_address_asks_already_is_kept() {
    let id = "ffffffff-ffff-4fff-bfff-ffffffffffff";
    let cases = [
        (OCP_UPDATES, format!("{OCP_UPDATES}?arch=amd64&channel=stable-4.18&id={id}")),
        (
            "http://updates.lab:8080/graph?team=a%20b&arch=s390x&zone=1&zone=2",
            format!(
                "http://updates.lab:8080/graph?\
                 arch=amd64&channel=stable-4.18&id={id}&team=a+b&zone=1&zone=2"
            ),
        ),
    ];
    for (address, expected) in cases {
        let asked = cincinnati().with_ocp_updates(address);
        let url = asked.address(&Channel::ocp("stable-4.18"), "amd64").unwrap();
        assert_eq!(url.as_str(), expected);
    }
}

#[test]
fn okd_has_a_server_of_its_own() {
    let asked = cincinnati().with_ocp_updates("http://updates.lab/graph");
    let url = asked.address(&Channel::okd("4-stable"), "amd64").unwrap();
    assert!(url.as_str().starts_with(&format!("{OKD_UPDATES}?arch=amd64&channel=4-stable&id=")));
}

#[test]
fn what_is_no_address_is_told_without_a_password() {
    let asked = cincinnati().with_ocp_updates("//me:secret@updates.lab/graph");
    let error = asked.address(&Channel::ocp("stable-4.18"), "amd64").unwrap_err();
    assert_eq!(error.to_string(), "`updates.lab/graph` is not the address of an update server");
}
