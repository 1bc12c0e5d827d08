//! What it takes to find releases: update servers, signature stores, keys.

use std::{error::Error, path::PathBuf, time::SystemTime};

use ocm_config::ReleaseKind;
use ocm_mirror::{
    Archived, AtHand, GraphBase, GraphDataOrigin, GraphImage, KeptGraphs, ReleaseTrust, Releasing,
    UpdateGraphs,
    signature::{Filed, Keyring, KeyringError, Store, Trust},
};
use ocm_transport::Client;

use super::Run;
use crate::{
    args::BaseImage, environment::Environment, files, graph, halt::Halt, report::Complaint,
};

/// Where signatures are kept, below the working directory and in an archive.
const SIGNATURES: &str = "signatures/";
/// Where update graphs are.
const GRAPHS: &str = "hold-release/";

/// How releases are found.
#[derive(Debug)]
pub(super) struct ReleaseMeans {
    graphs: Box<dyn UpdateGraphs>,
    signatures: Signatures,
    web: Option<Client>,
    trust: ReleaseTrust,
    now: SystemTime,
    /// How the image of the update graph is built.
    pub(super) graph_image: GraphImage,
}

#[derive(Debug)]
enum Signatures {
    Below(PathBuf),
    Carried(Filed),
}

impl ReleaseMeans {
    /// Finds them with the servers and stores of the world.
    ///
    /// # Errors
    ///
    /// When what the environment names cannot be used.
    pub(super) fn of_world(
        client: &Client,
        run: &Run<'_>,
        environment: &Environment,
    ) -> Result<Self, Halt> {
        let beside = || {
            let updates = environment.update_url()?;
            Some(GraphDataOrigin::Web(GraphImage::beside(&updates)))
        };
        let graphs = graph::server(client.clone(), run.request.effort.retry.policy(), environment);
        Ok(Self {
            graphs: Box::new(graphs),
            signatures: Signatures::Below(run.working_dir.path().join(SIGNATURES)),
            web: Some(client.clone()),
            trust: trust(environment)?,
            now: run.clock.now().into(),
            graph_image: GraphImage {
                data: run.request.releases.graph_data.clone().or_else(beside),
                base: base(run)?,
            },
        })
    }

    /// Finds them in an archive, and asks nobody.
    ///
    /// # Errors
    ///
    /// When the archive cannot be read, or what the environment names cannot be used.
    pub(super) async fn of_archive(
        archived: &Archived,
        run: &Run<'_>,
        environment: &Environment,
    ) -> Result<Self, Halt> {
        let failed = |error| Halt::from(&error);
        let signatures = archived.records_below(SIGNATURES).await.map_err(failed)?;
        let graphs = archived.records_below(GRAPHS).await.map_err(failed)?;
        let graphs = graphs.into_iter().map(|(name, bytes)| (format!("{GRAPHS}{name}"), bytes));
        Ok(Self {
            graphs: Box::new(KeptGraphs::new(graphs)),
            signatures: Signatures::Carried(Filed::of(signatures)),
            web: None,
            trust: trust(environment)?,
            now: run.clock.now().into(),
            graph_image: GraphImage::default(),
        })
    }

    /// Returns the same, for the engine.
    pub(super) fn releasing<'a>(&'a self, run: &'a Run<'_>) -> Releasing<'a> {
        let rules = &run.request.releases;
        Releasing {
            graphs: &*self.graphs,
            paths: &rules.paths,
            signatures: match &self.signatures {
                Signatures::Below(directory) => AtHand::Directory(directory),
                Signatures::Carried(filed) => AtHand::Carried(filed),
            },
            web: self.web.as_ref(),
            trust: &self.trust,
            unsigned: rules.unsigned,
            sigstore: rules.sigstore,
            now: self.now,
        }
    }
}

/// Returns what the image of the update graph is built upon, where that was said.
fn base(run: &Run<'_>) -> Result<Option<GraphBase>, Halt> {
    Ok(match &run.request.releases.graph_base {
        None => None,
        Some(BaseImage::Named(image)) => Some(GraphBase::Image(image.clone())),
        Some(BaseImage::Scratch) => {
            let program = std::env::current_exe().map_err(|error| {
                let what = "this program's own file cannot be found".to_owned();
                Complaint::told([what, error.to_string()], None)
            })?;
            Some(GraphBase::Scratch(program))
        }
    })
}

/// Decides whose word counts.
fn trust(environment: &Environment) -> Result<ReleaseTrust, Halt> {
    let keyring = environment.signature_key().map(|file| {
        let unusable = |error: &dyn Error| {
            let named = format!("`OCP_SIGNATURE_VERIFICATION_PK` names {}", file.display());
            let Complaint { message, causes, .. } = Complaint::of(error);
            let chain = [named, message].into_iter().chain(causes);
            Halt::from(Complaint::told(chain, Some(KeyringError::HINT.to_owned())))
        };
        let bytes = files::read(&file).map_err(|error| unusable(&error))?;
        Keyring::read(&bytes).map_err(|error| unusable(&error))
    });
    let keyring = keyring.transpose()?;
    let store = environment.signature_url().map(|url| Store::at(&url)).transpose();
    let store = store.map_err(|error| {
        let hint = "`OCP_SIGNATURE_URL` is an address such as https://mirror.lab/signatures/";
        Complaint::of(&error).with_hint(Some(hint.to_owned()))
    })?;
    let of = |kind| {
        let mut trust = Trust::of(kind);
        if let Some(keyring) = &keyring {
            trust = trust.with_keyring(keyring.clone());
        }
        match &store {
            Some(store) => trust.with_store(store.clone()),
            None => trust,
        }
    };
    Ok(ReleaseTrust { ocp: of(ReleaseKind::Ocp), okd: of(ReleaseKind::Okd) })
}
