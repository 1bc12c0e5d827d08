use std::{collections::VecDeque, time::Duration};

/// How far back the rate looks: long enough to be calm, short enough to follow a change.
const WINDOW: Duration = Duration::from_secs(10);
/// Time between samples.
const STEP: Duration = Duration::from_millis(250);
/// What a rate needs to mean anything.
const SHORTEST: Duration = Duration::from_millis(500);

/// How fast bytes move, by what moved lately.
#[derive(Debug, Default)]
pub(super) struct Rate {
    samples: VecDeque<(Duration, u64)>,
    latest: (Duration, u64),
}

impl Rate {
    /// Notes that `bytes` have moved in all, `elapsed` after the beginning.
    pub(super) fn note(&mut self, elapsed: Duration, bytes: u64) {
        self.latest = (elapsed, bytes);
        if self.samples.back().is_none_or(|(last, _)| elapsed.saturating_sub(*last) >= STEP) {
            self.samples.push_back(self.latest);
        }
        // The oldest stays until the next is old enough to span the window.
        while let Some((second, _)) = self.samples.get(1)
            && elapsed.saturating_sub(*second) >= WINDOW
        {
            self.samples.pop_front();
        }
    }

    /// Returns bytes a second, once there is something to say.
    pub(super) fn per_second(&self) -> Option<u64> {
        let (began, before) = self.samples.front()?;
        let time = self.latest.0.saturating_sub(*began);
        let bytes = self.latest.1.saturating_sub(*before);
        let milliseconds = u64::try_from(time.as_millis()).ok()?;
        (time >= SHORTEST).then(|| bytes.saturating_mul(1000) / milliseconds.max(1))
    }

    /// Returns how long `bytes` more will take, if they will come at all.
    pub(super) fn time_for(&self, bytes: u64) -> Option<Duration> {
        let rate = self.per_second().filter(|rate| *rate > 0)?;
        Some(Duration::from_secs(bytes.div_ceil(rate)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_what_moved_lately() {
        let mut rate = Rate::default();
        let mut note = |tenths: u64, bytes| {
            rate.note(Duration::from_millis(tenths * 100), bytes);
            (rate.per_second(), rate.time_for(1000))
        };
        assert_eq!(note(0, 0), (None, None));
        assert_eq!(note(4, 40), (None, None), "too early to tell");
        for tenths in 5..=100 {
            note(tenths, tenths * 10);
        }
        assert_eq!(note(101, 1010), (Some(100), Some(Duration::from_secs(10))));
        // Nothing moves for as long as it looks back.
        assert_eq!(note(300, 1010), (Some(0), None));
    }
}
