use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Deserializer, Serialize};

use crate::Warning;

/// Why an upgrade is offered only to some clusters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Risk {
    /// What it is called, as long as it is known.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Where it is described.
    #[serde(default, deserialize_with = "null_as_default")]
    pub url: String,
    /// What can go wrong, in the words of those who found it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub message: String,
    /// Which clusters are exposed to it.
    #[serde(default, rename = "matchingRules", deserialize_with = "null_as_default")]
    pub rules: Vec<Rule>,
}

/// Which clusters are exposed to a risk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "WireRule", into = "WireRule")]
pub enum Rule {
    /// All of them.
    Always,
    /// Those for which this query, of their own Prometheus, is not zero.
    PromQl(String),
    /// Those that a rule of this type matches, which is unknown here.
    Other(String),
}

/// Which of the upgrades that are offered with risks are taken, where there is no other way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Refusal {
    /// All of them.
    #[default]
    Nothing,
    /// All but those with one of these risks.
    Named(BTreeSet<String>),
    /// None, as oc-mirror does, which does not know of them.
    Everything,
}

/// Types of rules, as the protocol calls them.
const ALWAYS: &str = "Always";
const PROMQL: &str = "PromQL";

#[derive(Serialize, Deserialize)]
struct WireRule {
    #[serde(default, rename = "type", deserialize_with = "null_as_default")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    promql: Option<WireQuery>,
}

#[derive(Serialize, Deserialize)]
struct WireQuery {
    #[serde(default, deserialize_with = "null_as_default")]
    promql: String,
}

impl Refusal {
    /// Whether an upgrade with these risks is refused.
    pub(crate) fn covers(&self, risks: &[Risk]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Named(names) => risks.iter().any(|risk| names.contains(&risk.name)),
            Self::Everything => true,
        }
    }

    /// Says which of its names are not among those that are known.
    pub(crate) fn unknown(&self, known: &BTreeSet<&str>) -> Vec<Warning> {
        let Self::Named(names) = self else { return Vec::new() };
        let unknown = names.iter().filter(|name| !known.contains(name.as_str()));
        let warning = |name: &String| {
            let similar = ocm_oci::similar(name, known.iter().copied()).map(str::to_owned);
            Warning::UnknownRisk { name: name.clone(), similar }
        };
        unknown.map(warning).collect()
    }
}

impl From<WireRule> for Rule {
    fn from(rule: WireRule) -> Self {
        match (rule.kind.as_str(), rule.promql) {
            (ALWAYS, _) => Self::Always,
            (PROMQL, Some(query)) => Self::PromQl(query.promql),
            _ => Self::Other(rule.kind),
        }
    }
}

impl From<Rule> for WireRule {
    fn from(rule: Rule) -> Self {
        let (kind, promql) = match rule {
            Rule::Always => (ALWAYS.to_owned(), None),
            Rule::PromQl(promql) => (PROMQL.to_owned(), Some(WireQuery { promql })),
            Rule::Other(kind) => (kind, None),
        };
        Self { kind, promql }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("all clusters"),
            Self::PromQl(query) => write!(f, "clusters that match the query `{}`", one_line(query)),
            Self::Other(kind) => write!(f, "clusters that match a rule of type `{kind}`"),
        }
    }
}

/// Queries are written over several lines; in a sentence they stand in one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Go writes an empty list as `null`.
pub(crate) fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_risk_is_written_as_it_was_read() {
        let json = r#"{"name":"Slow","url":"https://risks.example","message":"It is slow.","#
            .to_owned()
            + r#""matchingRules":[{"type":"Always"},"#
            + r#"{"type":"PromQL","promql":{"promql":"a\nb"}},{"type":"Other"}]}"#;
        let risk: Risk = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&risk).unwrap(), json);
        let rules: Vec<_> = risk.rules.iter().map(ToString::to_string).collect();
        assert_eq!(
            rules,
            [
                "all clusters",
                "clusters that match the query `a b`",
                "clusters that match a rule of type `Other`"
            ]
        );
        let little: Risk =
            serde_json::from_str(r#"{"name": null, "matchingRules": null}"#).unwrap();
        assert_eq!((little.name.as_str(), little.rules.len()), ("", 0));
    }
}
