//! What time it is: read here and nowhere else.

use jiff::{Timestamp, Zoned, tz::TimeZone};

/// A clock, its time zone, and the date that written files carry.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    now: fn() -> Timestamp,
    zone: TimeZone,
    source_date: Option<Timestamp>,
}

impl Clock {
    /// Returns the clock of this machine; where its time zone is unknown, UTC.
    pub(crate) fn of_system() -> Self {
        let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
        Self { now: Timestamp::now, zone, source_date: None }
    }

    /// Sets the date that written files carry, so that a run can be repeated to the byte.
    #[must_use]
    pub(crate) fn with_source_date(self, source_date: Option<Timestamp>) -> Self {
        Self { source_date, ..self }
    }

    /// Returns the time.
    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Returns the date for what is written.
    pub(crate) fn date(&self) -> Timestamp {
        self.source_date.unwrap_or_else(|| self.now())
    }

    /// Returns the time as clocks on the wall here show it.
    pub(crate) fn local(&self) -> Zoned {
        self.now().to_zoned(self.zone.clone())
    }

    /// Returns a clock that stands still.
    #[cfg(test)]
    pub(crate) fn stopped() -> Self {
        let now = || "2026-11-21T04:26:07Z".parse().expect("the time is written correctly");
        Self { now, zone: TimeZone::UTC, source_date: None }
    }
}
