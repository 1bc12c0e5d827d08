use ocm_oci::RepoName;

/// What a request needs to be allowed, as token servers are asked for it.
///
/// Source: <https://distribution.github.io/distribution/spec/auth/scope/>.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope {
    /// Whose login is used.
    repository: Option<RepoName>,
    /// `type:name:actions`, in order.
    parts: Vec<String>,
}

impl Scope {
    /// To be known, as anyone or somebody.
    pub(crate) fn presence(within: Option<&RepoName>) -> Self {
        Self { repository: within.cloned(), parts: Vec::new() }
    }

    pub(crate) fn catalog() -> Self {
        Self { repository: None, parts: vec!["registry:catalog:*".to_owned()] }
    }

    pub(crate) fn pull(repository: &RepoName) -> Self {
        Self::of(repository, "pull")
    }

    pub(crate) fn push(repository: &RepoName) -> Self {
        Self::of(repository, "pull,push")
    }

    /// To delete. Some registries know an action `delete` and others refuse a token for it; `*` is
    /// known to all.
    pub(crate) fn delete(repository: &RepoName) -> Self {
        Self::of(repository, "*")
    }

    /// To push what can be pulled `from` elsewhere.
    pub(crate) fn mount(repository: &RepoName, from: &RepoName) -> Self {
        let mut scope = Self::push(repository);
        if from != repository {
            scope.parts.push(format!("repository:{from}:pull"));
        }
        scope
    }

    fn of(repository: &RepoName, actions: &str) -> Self {
        let parts = vec![format!("repository:{repository}:{actions}")];
        Self { repository: Some(repository.clone()), parts }
    }

    pub(crate) fn repository(&self) -> Option<&RepoName> {
        self.repository.as_ref()
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str)
    }
}
