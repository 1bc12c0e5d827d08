use clap::Args;
use ocm_catalog::PreReleases;
use ocm_mirror::OperatorRules;

use super::Switch;

/// Flags about what is selected of catalogs of operators.
#[derive(Debug, Clone, Args)]
pub(crate) struct OperatorArgs {
    /// Warn of packages and channels that a catalog does not have, instead of failing in the end
    #[arg(long, default_value_t = Switch::Off, help_heading = "Operators")]
    allow_missing: Switch,
    /// Take pre-releases into ranges of versions that name none: `2.0.0-rc1` into `1.0.0` and up
    #[arg(long, default_value_t = Switch::Off, help_heading = "Operators")]
    include_prereleases: Switch,
    /// Add what the selected bundles require, and what that requires: of each package one bundle
    #[arg(long, default_value_t = Switch::Off, help_heading = "Operators")]
    include_dependencies: Switch,
}

impl OperatorArgs {
    /// Returns what is made of selections that are not to the letter.
    pub(crate) fn rules(&self) -> OperatorRules {
        let is_admitted = self.include_prereleases.is_on();
        OperatorRules {
            allow_missing: self.allow_missing.is_on(),
            include_dependencies: self.include_dependencies.is_on(),
            pre_releases: if is_admitted { PreReleases::Admitted } else { PreReleases::Hidden },
            ..OperatorRules::default()
        }
    }
}
