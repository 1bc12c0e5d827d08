//! The server that says which releases there are.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use bytes::Bytes;
use ocm_graph::{Channel, Graph, Product};
use ocm_transport::Client;
use url::Url;

use crate::{RetryPolicy, UpdateGraphError, UpdateGraphs, retry::Patience};

/// Where the releases of `OpenShift` Container Platform are asked for.
///
/// Source: <https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/updating_clusters/understanding-openshift-updates-1>.
pub const OCP_UPDATES: &str = "https://api.openshift.com/api/upgrades_info/v1/graph";

/// Where those of OKD are.
pub const OKD_UPDATES: &str = "https://origin-release.ci.openshift.org/graph";

const JSON: &str = "application/json";

/// A client of the Cincinnati protocol: one request for each channel and architecture.
#[derive(Debug)]
pub struct Cincinnati {
    client: Client,
    patience: Patience,
    ocp: String,
    id: ClientId,
}

/// Who asks, as far as the server can tell: a random UUID, to count by.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-4>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientId([u8; 16]);

impl ClientId {
    /// Makes one of random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Four bits say that it is of version 4, two that this is how to read the others.
        let (version, variant) = ((0xf << 76, 0x4 << 76), (0b11 << 62, 0b10 << 62));
        let random = u128::from_be_bytes(self.0) & !version.0 & !variant.0;
        let digits = format!("{:032x}", random | version.1 | variant.1);
        for (at, digit) in digits.chars().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                f.write_str("-")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl Cincinnati {
    /// Makes a client that asks Red Hat and OKD as `id`.
    pub fn new(client: Client, retry: RetryPolicy, id: ClientId) -> Self {
        Self { client, patience: Patience::new(retry), ocp: OCP_UPDATES.to_owned(), id }
    }

    /// Asks another server than Red Hat's: what `UPDATE_URL_OVERRIDE` says. OKD's stays.
    #[must_use]
    pub fn with_ocp_updates(self, address: impl Into<String>) -> Self {
        Self { ocp: address.into(), ..self }
    }

    /// Returns what is asked for; keys that the address has already are kept.
    fn address(&self, channel: &Channel, architecture: &str) -> Result<Url, UpdateGraphError> {
        let base = match channel.product {
            Product::Ocp => self.ocp.as_str(),
            Product::Okd => OKD_UPDATES,
        };
        let mut url: Url = base.parse().map_err(|source| {
            let address = without_credentials(base).to_owned();
            UpdateGraphError::Address { address, source }
        })?;
        let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in url.query_pairs() {
            query.entry(key.into_owned()).or_default().push(value.into_owned());
        }
        let (id, channel) = (self.id.to_string(), channel.name.clone());
        for (key, value) in [("arch", architecture.to_owned()), ("channel", channel), ("id", id)] {
            query.insert(key.to_owned(), vec![value]);
        }
        let pairs = query.iter().flat_map(|(key, values)| values.iter().map(move |v| (key, v)));
        url.query_pairs_mut().clear().extend_pairs(pairs);
        Ok(url)
    }
}

#[async_trait]
impl UpdateGraphs for Cincinnati {
    async fn fetch(
        &self,
        channel: &Channel,
        architecture: &str,
    ) -> Result<Bytes, UpdateGraphError> {
        let address = self.address(channel, architecture)?;
        let get = || self.client.get(address.as_str(), JSON, Graph::MAX_BYTES);
        match self.patience.run(get).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => {
                let plain = address.as_str().split('?').next().unwrap_or_default();
                let address = without_credentials(plain).to_owned();
                Err(UpdateGraphError::NoServer { address })
            }
            Err(source) => {
                let (channel, architecture) = (channel.clone(), architecture.to_owned());
                Err(UpdateGraphError::Fetch { channel, architecture, source })
            }
        }
    }
}

/// What is shown of an address: nobody's password.
fn without_credentials(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, place)| place)
}

#[cfg(test)]
mod tests;
