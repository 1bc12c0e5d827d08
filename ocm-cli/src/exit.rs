//! What the program leaves behind for scripts: oc-mirror's bits, and the shell's for signals.

use std::process::ExitCode;

use ocm_mirror::Group;

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

    /// Returns the code of a run in which not all images of these groups were mirrored.
    pub(crate) fn of_groups(groups: impl IntoIterator<Item = Group>) -> Self {
        let bit = |group| match group {
            Group::Release => 2,
            Group::Operator => 4,
            Group::Additional => 8,
            Group::Helm => 16,
            _ => 1,
        };
        Self(groups.into_iter().map(bit).fold(0, |bits, bit| bits | bit))
    }

    /// Returns the code in which both are.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the number.
    pub(crate) fn code(self) -> u8 {
        self.0
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_groups_add_up() {
        assert_eq!(Exit::of_groups([]), Exit::SUCCESS);
        assert_eq!(Exit::of_groups([Group::Additional]).code(), 8);
        assert_eq!(Exit::of_groups([Group::Operator, Group::Helm, Group::Helm]).code(), 20);
        assert_eq!(Exit::of_groups([Group::Release]).code(), 2);
    }
}
