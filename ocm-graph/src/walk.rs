//! From channel to channel: which ones lie between two.

use std::collections::BTreeSet;

use crate::{
    Channel, ChannelNameError, Minor,
    channel::Family,
    graphs::{Graphs, Knowledge},
};

/// Most channels of one walk. `OpenShift` 4 has 24; a name can say `stable-4.4000000000`.
const MOST_CHANNELS: usize = 64;

/// The channels between two, in the order in which a cluster goes through them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Walk {
    /// Those of which each has the newest release of the one before, if all is well. The first is
    /// where the walk begins, unless it leads nowhere but to a channel of the same minor version.
    pub(crate) stations: Vec<Channel>,
    /// Those whose graphs must be known before it can be said how to go on.
    pub(crate) unasked: BTreeSet<Channel>,
}

/// Why there is no walk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WalkError {
    #[error(transparent)]
    Name(#[from] ChannelNameError),
    #[error("more than {MOST_CHANNELS} channels lie between `{from}` and `{to}`")]
    TooFar { from: Channel, to: Channel },
}

impl Walk {
    /// Finds the channels from `first` to `last`.
    ///
    /// One of the first's kind for each minor version; where there is none, one of the last's
    /// kind; where there is none either, none. Behind the last minor version of a major one comes
    /// the next major version: which it is, the graphs say.
    pub(crate) fn between(
        first: &Channel,
        last: &Channel,
        graphs: &Graphs,
    ) -> Result<Self, WalkError> {
        if first == last {
            return Ok(Self { stations: vec![last.clone()], ..Self::default() });
        }
        let (start, end) = (first.family()?, last.family()?);
        if end.line <= start.line {
            return Ok(Self { stations: vec![last.clone()], ..Self::default() });
        }
        let mut walk = Self { stations: vec![first.clone()], ..Self::default() };
        let mut line = next(start.line, &start);
        let mut steps = 0;
        while line < end.line {
            steps += 1;
            if steps > MOST_CHANNELS {
                return Err(WalkError::TooFar { from: first.clone(), to: last.clone() });
            }
            let is_last_major = line.major == end.line.major;
            match walk.stop_at(line, (&start, &end), graphs) {
                // It cannot be said whether this major version goes on.
                Stop::Unasked if !is_last_major => return Ok(walk),
                Stop::Absent if !is_last_major => line = Minor { major: line.major + 1, minor: 0 },
                _ => line = next(line, &start),
            }
        }
        walk.stations.push(last.clone());
        Ok(walk)
    }

    /// Goes to the channel of a minor version, if there is one.
    fn stop_at(&mut self, line: Minor, ends: (&Family<'_>, &Family<'_>), graphs: &Graphs) -> Stop {
        let channel = |family: &Family<'_>| Channel::ocp(format!("{}-{line}", family.prefix));
        for channel in [channel(ends.0), channel(ends.1)] {
            match graphs.look_up(&channel) {
                Knowledge::Absent => {}
                Knowledge::Unasked => {
                    self.unasked.insert(channel);
                    return Stop::Unasked;
                }
                Knowledge::Unavailable | Knowledge::There(_) => {
                    self.stations.push(channel);
                    return Stop::Made;
                }
            }
        }
        Stop::Absent
    }
}

enum Stop {
    Made,
    Absent,
    Unasked,
}

fn next(line: Minor, family: &Family<'_>) -> Minor {
    Minor { minor: line.minor.saturating_add(family.stride()), ..line }
}
