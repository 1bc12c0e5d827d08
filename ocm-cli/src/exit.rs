//! What the program leaves behind for scripts: oc-mirror's bits, and the shell's for signals.

use std::process::ExitCode;

use ocm_mirror::Kind;

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    /// Everything that was asked for is done.
    pub(crate) const SUCCESS: Self = Self(0);
    /// Something is wrong with the request, the configuration or the machine.
    pub(crate) const GENERIC: Self = Self(1);
    /// Ctrl-C.
    pub(crate) const INTERRUPTED: Self = Self(128 + 2);
    /// SIGTERM.
    pub(crate) const TERMINATED: Self = Self(128 + 15);

    /// Returns the code of a run in which not all images of these kinds were mirrored.
    pub(crate) fn of_kinds(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let bit = |kind| match kind {
            Kind::Release => 2,
            Kind::Operator => 4,
            Kind::Additional => 8,
            Kind::Helm => 16,
            _ => 1,
        };
        Self(kinds.into_iter().map(bit).fold(0, |bits, bit| bits | bit))
    }

    /// Returns the number.
    pub(crate) fn code(self) -> u8 {
        self.0
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_kinds_add_up() {
        assert_eq!(Exit::of_kinds([]), Exit::SUCCESS);
        assert_eq!(Exit::of_kinds([Kind::Additional]).code(), 8);
        assert_eq!(Exit::of_kinds([Kind::Operator, Kind::Helm, Kind::Helm]).code(), 20);
        assert_eq!(Exit::of_kinds([Kind::Release]).code(), 2);
    }
}
