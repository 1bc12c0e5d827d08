use std::fmt;

use crate::Minor;

/// Who says what is in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Product {
    /// Red Hat's `OpenShift` Container Platform.
    #[default]
    Ocp,
    /// The community's distribution.
    Okd,
}

/// A channel: a choice of releases, and a graph of the upgrades between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    /// Who says what is in it.
    pub product: Product,
    /// What it is called: `stable-4.18`.
    pub name: String,
}

/// What the name of a channel says: `eus` and `4.18`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Family<'a> {
    /// What stands before the last dash.
    pub(crate) prefix: &'a str,
    pub(crate) line: Minor,
}

/// Why a path cannot go from one channel to another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("channel `{name}` is not named after a minor version, as `stable-4.18` is")]
pub struct ChannelNameError {
    /// What it is called.
    pub name: String,
}

impl Channel {
    /// Names a channel of `OpenShift` Container Platform.
    pub fn ocp(name: impl Into<String>) -> Self {
        Self { product: Product::Ocp, name: name.into() }
    }

    /// Names a channel of OKD.
    pub fn okd(name: impl Into<String>) -> Self {
        Self { product: Product::Okd, name: name.into() }
    }

    /// Reads the name: `4.18` stands behind the last dash.
    pub(crate) fn family(&self) -> Result<Family<'_>, ChannelNameError> {
        let read = || {
            let (prefix, line) = self.name.rsplit_once('-')?;
            let (major, minor) = line.split_once('.')?;
            Some(Family { prefix, line: Minor { major: number(major)?, minor: number(minor)? } })
        };
        read().ok_or_else(|| ChannelNameError { name: self.name.clone() })
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Reads a number as versions have it: no sign, no zero before it.
fn number(text: &str) -> Option<u64> {
    let is_plain = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_plain)
}

impl Family<'_> {
    /// Returns how many minor versions lie between a channel and the next one of its kind: those
    /// with extended support go by two, and list the releases in between.
    pub(crate) fn stride(&self) -> u64 {
        if self.prefix == "eus" { 2 } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_with_a_minor_version() {
        for (name, prefix, line) in
            [("stable-4.1", "stable", "4.1"), ("my-own-5.0", "my-own", "5.0"), ("-4.2", "", "4.2")]
        {
            let channel = Channel::ocp(name);
            let family = channel.family().unwrap();
            assert_eq!((family.prefix, family.line.to_string().as_str()), (prefix, line));
        }
        for name in ["fast:4.2", "stable", "stable-4", "stable-4.2.1", "stable-4.+2", "x-4.02", ""]
        {
            let error = Channel::ocp(name).family().unwrap_err();
            assert_eq!(error, ChannelNameError { name: name.to_owned() });
        }
    }
}
