use std::time::Duration;

use ocm_mirror::{Code, Failure, Side};

/// Time between two lines about one cause.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// What is tried again, so that a registry that dies is told of now and then and not for each of
/// a thousand requests.
#[derive(Debug, Default)]
pub(super) struct Retries(Vec<Cause>);

/// Failures of one kind on one side.
#[derive(Debug)]
struct Cause {
    side: Side,
    code: Code,
    said: Duration,
    /// How many have not been told of.
    held: usize,
    /// The last of them.
    last: String,
}

impl Retries {
    /// Takes note of a failure; returns whether it is to be said by itself.
    pub(super) fn note(&mut self, failure: &Failure, elapsed: Duration) -> bool {
        let (side, code) = (failure.side, failure.code);
        let Self(causes) = self;
        let Some(cause) = causes.iter_mut().find(|it| (it.side, it.code) == (side, code)) else {
            causes.push(Cause { side, code, said: elapsed, held: 0, last: String::new() });
            return true;
        };
        if cause.held == 0 && elapsed.saturating_sub(cause.said) >= LINE_EVERY {
            cause.said = elapsed;
            return true;
        }
        cause.held += 1;
        cause.last = failure.chain.join(": ");
        false
    }

    /// Takes what has been held back for long enough: how many, and the last of them.
    pub(super) fn due(&mut self, elapsed: Duration) -> Vec<(usize, String)> {
        let is_due =
            |cause: &&mut Cause| cause.held > 0 && elapsed.saturating_sub(cause.said) >= LINE_EVERY;
        let take = |cause: &mut Cause| {
            cause.said = elapsed;
            (std::mem::take(&mut cause.held), std::mem::take(&mut cause.last))
        };
        self.0.iter_mut().filter(is_due).map(take).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flood_is_a_line_now_and_then() {
        let failure = |code: &str| -> Failure {
            let chain = ["could not fetch it", "it broke"];
            serde_json::from_value(json!({
                "code": code, "side": "source", "image": "", "chain": chain, "hint": null
            }))
            .unwrap()
        };
        let mut retries = Retries::default();
        let at = Duration::from_millis;
        assert!(retries.note(&failure("reset"), at(0)));
        assert!(retries.note(&failure("stall"), at(1)), "another cause has a line of its own");
        for n in 1..100 {
            assert!(!retries.note(&failure("reset"), at(n * 10)));
        }
        assert_eq!(retries.due(at(4_999)), []);
        assert_eq!(retries.due(at(5_000)), [(99, "could not fetch it: it broke".to_owned())]);
        assert_eq!(retries.due(at(5_001)), []);
        assert!(!retries.note(&failure("reset"), at(6_000)));
    }
}
