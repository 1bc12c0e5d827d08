use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::Arc,
};

use assert_cmd::Command;
use ocm_oci::TagOrDigest;
use ocm_testkit::{Loopback, Published, Shape, Upstream, faults::FaultRegistry};
use ocm_transport::{Memory, Transport as _};
use tempfile::TempDir;

pub(crate) const SHAPE: Shape = Shape { images: 3, layers: 3, shared: 1, layer_bytes: 40_000 };

/// A registry with images, one without, and a directory for everything else.
pub(crate) struct World {
    pub(crate) upstream: Upstream,
    pub(crate) far: FaultRegistry,
    pub(crate) memory: Memory,
    pub(crate) near: Loopback,
    directory: TempDir,
}

/// What the program said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(Upstream::of(&SHAPE, 7)).await
    }

    pub(crate) async fn of(upstream: Upstream) -> Self {
        let memory = Memory::default();
        let far = FaultRegistry::serve(Arc::new(upstream.clone())).await.unwrap();
        let near = Loopback::serve(Arc::new(memory.clone())).await.unwrap();
        let world = Self { upstream, far, memory, near, directory: tempfile::tempdir().unwrap() };
        world.configure("");
        world
    }

    /// A world whose source is `far`, without images of its own.
    pub(crate) async fn over(far: FaultRegistry) -> Self {
        let (upstream, memory) = (Upstream::new(Vec::new()), Memory::default());
        let near = Loopback::serve(Arc::new(memory.clone())).await.unwrap();
        Self { upstream, far, memory, near, directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a configuration of all images there are, and `more` lines.
    pub(crate) fn configure(&self, more: &str) {
        let host = self.far.host();
        let name = |image: &Published| {
            format!("  - name: {}\n", image.reference(&host).unwrap().as_written())
        };
        let names: String = self.upstream.published().iter().map(name).collect();
        self.write_config(&format!("  additionalImages:\n{names}{more}"));
    }

    /// Writes a configuration that has this under `mirror:`.
    pub(crate) fn write_config(&self, mirror: &str) {
        let head = "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\n";
        let mirror = mirror.replace("FAR", self.far.host().as_str());
        fs::write(self.path("isc.yaml"), format!("{head}mirror:\n{mirror}")).unwrap();
    }

    /// Returns the program, in a directory of ours and with no environment but that.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::cargo_bin("ocm").unwrap();
        command.current_dir(self.directory.path()).env_clear().env("HOME", self.directory.path());
        command
    }

    /// Runs the program. `FAR` and `NEAR` stand for the registries.
    pub(crate) fn run(&self, words: &str) -> Said {
        self.run_with(words, |command| command)
    }

    pub(crate) fn run_with(
        &self,
        words: &str,
        prepare: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Said {
        let words = words
            .replace("FAR", self.far.host().as_str())
            .replace("NEAR", self.near.host().as_str());
        let mut command = self.program();
        prepare(command.args(words.split_whitespace()));
        Said::new(command.output().unwrap())
    }

    /// Mirrors, without asking for certificates, from registry to registry.
    pub(crate) fn mirror(&self, more: &str) -> Said {
        self.run(&format!("-c isc.yaml --workspace file://w {INSECURE} {more} docker://NEAR/ns"))
    }

    /// Asserts that all images are at the destination.
    pub(crate) async fn assert_mirrored(&self) {
        for image in self.upstream.published() {
            let repository = image.repository.under(&"ns".parse().unwrap());
            let tag = TagOrDigest::from(image.tag.as_ref().unwrap());
            let found = self.memory.source(&repository).head(&tag).await.unwrap();
            assert_eq!(found.unwrap().digest, *image.content.digest());
        }
    }

    /// Reads a file, with what differs from run to run made the same.
    pub(crate) fn read(&self, name: &str) -> String {
        self.tidy(&fs::read_to_string(self.path(name)).unwrap())
    }

    /// Returns the only file in a directory whose name begins like that.
    pub(crate) fn only(&self, directory: &str, prefix: &str) -> Option<String> {
        let entries = fs::read_dir(self.path(directory)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut found = names.filter(|name| name.starts_with(prefix));
        let only = found.next().map(|name| format!("{directory}/{name}"));
        assert_eq!(found.next(), None, "more than one {prefix} in {directory}");
        only
    }

    pub(crate) fn tidy(&self, text: &str) -> String {
        text.replace(self.far.host().as_str(), "FAR")
            .replace(self.near.host().as_str(), "NEAR")
            .replace(&self.directory.path().display().to_string(), "DIR")
    }
}

/// Both ends speak plain HTTP.
pub(crate) const INSECURE: &str = "--src-tls-verify=false --dest-tls-verify=false";

impl Said {
    pub(crate) fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        Self { out: text(output.stdout), err: text(output.stderr), code }
    }

    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
    }

    #[track_caller]
    pub(crate) fn assert_says(&self, words: &str) {
        let is_said = self.out.contains(words) || self.err.contains(words);
        assert!(is_said, "`{words}` is not in\n{}\n{}", self.out, self.err);
    }

    /// Returns what stands behind the time in each line.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.out
            .lines()
            .filter_map(|line| Some(line.split_once(']')?.1.split_once(": ")?.1))
            .collect()
    }
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Publishes an image.
pub(crate) async fn put(image: &Published, place: &Memory) {
    let at = place.destination(&image.repository).unwrap();
    image.content.push(&*at, image.tag.as_ref()).await.unwrap();
}
