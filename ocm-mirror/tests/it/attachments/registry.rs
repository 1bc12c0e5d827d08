//! Between registries over HTTP: what is asked, in which order things are put, and in which words
//! it is said that there is nothing.

use std::sync::Arc;

use http::{Method, StatusCode};
use ocm_mirror::{
    Location, Means, Options, Place, Places, Request, Wanted, Wishes, execute, prepare,
};
use ocm_oci::PlatformFilter;
use ocm_testkit::{
    Upstream,
    faults::{Fault, FaultRegistry, Rule},
};
use ocm_transport::{Client, ClientOptions, Memory, TlsOptions, Transport, Verify};

use super::*;
use crate::world::quick;

/// Two registries, and an image at one of them.
struct Ends {
    from: FaultRegistry,
    to: FaultRegistry,
    image: Content,
    attaching: Attaching,
}

impl Ends {
    /// Serves an image, with a signature if `is_signed`.
    async fn new(more: Vec<ocm_testkit::Published>) -> Self {
        let image = image();
        let mut published = vec![ocm_testkit::Published::tagged("it", "v1", image.clone())];
        published.extend(more);
        Self::over(Arc::new(Upstream::new(published)), image).await
    }

    /// Serves an image that lies there.
    async fn over(from: Arc<dyn Transport>, image: Content) -> Self {
        let from = FaultRegistry::serve(from).await.unwrap();
        let to = FaultRegistry::serve(Arc::new(Memory::default())).await.unwrap();
        Self { from, to, image, attaching: Attaching::default() }
    }

    async fn run(&self) -> Report {
        let tls = TlsOptions { verify: Verify::Never, ..TlsOptions::default() };
        let client = || Client::new(ClientOptions::default().with_tls(tls.clone())).unwrap();
        let place = |registry: &FaultRegistry| Place::Registry(registry.host());
        let mut wishes = Wishes::default();
        wishes.add(Wanted {
            origin: format!("{}/it:v1", self.from.host()),
            from: Location { place: place(&self.from), repository: repository("it") },
            reference: TagOrDigest::Tag(tag("v1")),
            platforms: PlatformFilter::All,
            repository: repository("it"),
            tag: tag("v1"),
            kind: ocm_mirror::Kind::Additional,
            needs: BTreeSet::new(),
        });
        let open = |registry: &FaultRegistry| Arc::new(client().registry(&registry.host()));
        let places = Places::default()
            .with_source(place(&self.from), open(&self.from))
            .with_destination(place(&self.to), open(&self.to));
        let request = Request::new(wishes, place(&self.to), std::env::temp_dir());
        let asking = ocm_mirror::Asking { retry: quick(), ..request.asking };
        let attaching = self.attaching.clone();
        let prepared = prepare(Request { asking, attaching, ..request }, &places).await.unwrap();
        let options = Options::default().with_retry(quick());
        let means = Means { places, pack: prepared.pack };
        let events: Vec<_> =
            execute(Arc::new(prepared.planned.plan), means, options).collect().await;
        let mut report = Report::default();
        report.extend(&events);
        report
    }
}

fn image() -> Content {
    let amd64 = Platform::new("linux", "amd64");
    Content::image(Format::Oci, &amd64, "it", vec![Blob::layer(7, 3000)])
}

fn signature(image: &Content) -> ocm_testkit::Published {
    let name = about(image.digest(), "sig");
    ocm_testkit::Published::tagged("it", name.as_str(), statement(COSIGN, "it", None))
}

/// A tag at the destination says that all of it is there: so it comes last.
#[tokio::test(flavor = "multi_thread")]
async fn the_tag_comes_after_what_is_said_about_it_and_that_after_the_image() {
    let unsigned = Ends::new(vec![]).await;
    let ends = Ends::new(vec![signature(&unsigned.image)]).await;
    assert!(ends.run().await.is_complete());
    let log = ends.to.faults().log();
    let puts =
        log.iter().filter(|one| one.method == Method::PUT && one.path.contains("/manifests/"));
    let puts: Vec<_> = puts.map(|one| one.path.clone()).collect();
    let root = ends.image.digest();
    let name = about(root, "sig");
    let expected = [root.to_string(), name.to_string(), "v1".to_owned()];
    assert_eq!(puts, expected.map(|what| format!("/v2/it/manifests/{what}")));
    // An image about which nothing is said is put once.
    assert!(unsigned.run().await.is_complete());
    assert_eq!(unsigned.to.faults().count(&Method::PUT, "/manifests/"), 1);
    // Three tags and one list; and by HEAD, which no registry counts as a pull.
    let log = unsigned.from.faults().log();
    let asked: Vec<_> = log.iter().filter(|one| one.path.contains("sha256-")).collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.iter().all(|one| one.method == Method::HEAD));
    assert_eq!(unsigned.from.faults().count(&Method::GET, "/referrers/"), 1);
}

/// oc-mirror fails an image for all of these but the first.
#[tokio::test(flavor = "multi_thread")]
async fn there_are_many_ways_to_say_that_there_is_nothing() {
    for status in [404, 401, 403, 400, 405, 410] {
        let ends = Ends::new(vec![]).await;
        let status = StatusCode::from_u16(status).unwrap();
        for part in ["/manifests/sha256-", "/referrers/"] {
            ends.from.faults().add(Rule::new(Fault::status(status)).path(part));
        }
        let report = ends.run().await;
        assert!(report.is_complete(), "{status}: {report:?}");
        assert!(report.attachments.is_empty(), "{status}");
    }
    let ends = Ends::new(vec![]).await;
    let empty = Fault::Answer { status: StatusCode::OK, headers: vec![] };
    ends.from.faults().add(Rule::new(empty.clone()).path("/manifests/sha256-"));
    ends.from.faults().add(Rule::new(empty).path("/referrers/"));
    let report = ends.run().await;
    assert!(report.is_complete() && report.attachments.is_empty(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_asked_is_told_and_the_image_is_mirrored() {
    let ends = Ends::new(vec![]).await;
    let busy = Fault::status(StatusCode::SERVICE_UNAVAILABLE);
    ends.from.faults().add(Rule::new(busy).path(".sig"));
    let report = ends.run().await;
    assert_eq!(report.groups[&Group::Additional], Tally { expected: 1, done: 1, failed: 0 });
    assert_eq!(report.attachments[&Group::Additional], Tally { expected: 1, done: 0, failed: 1 });
    let failure = &report.lost[0].failure;
    assert_eq!(failure.image, format!("{}/it@{}", ends.from.host(), ends.image.digest()));
    assert!(failure.chain[0].starts_with("could not look up `it:sha256-"), "{failure:?}");
    assert!(!report.is_complete());

    let ends = Ends { attaching: with(Signatures::Require), ..ends };
    ends.to.faults().take_log();
    let ends =
        Ends { to: FaultRegistry::serve(Arc::new(Memory::default())).await.unwrap(), ..ends };
    let report = ends.run().await;
    assert_eq!(report.groups[&Group::Additional].failed, 1);
    assert!(report.lost[0].failure.chain[0].starts_with("could not look up `it:sha256-"));
}

/// There are registries that take images only.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_refuses_signatures_gets_the_image() {
    let unsigned = Ends::new(vec![]).await;
    let ends = Ends::new(vec![signature(&unsigned.image)]).await;
    let refused = Rule::new(Fault::status(StatusCode::BAD_REQUEST)).on(Method::PUT).path(".sig");
    ends.to.faults().add(refused);
    let report = ends.run().await;
    assert_eq!(report.groups[&Group::Additional].done, 1);
    assert_eq!(report.attachments[&Group::Additional].failed, 1);
    assert_eq!(ends.to.faults().count(&Method::PUT, "/manifests/v1"), 1);
}

/// Waiting for such a registry, an image at a time, would take hours.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_out_of_order_each_time_is_not_waited_for_each_time() {
    let amd64 = Platform::new("linux", "amd64");
    let child = |nth: u32| {
        let name = format!("child {nth}");
        let image = Content::image(Format::Oci, &amd64, &name, vec![Blob::layer(7, 3000)]);
        (Some(amd64.clone()), image)
    };
    let index = Content::index(Format::Oci, (0..40).map(child).collect());
    let ends = Ends::new(vec![ocm_testkit::Published::tagged("it", "v1", index)]).await;
    let busy = Fault::status(StatusCode::BAD_GATEWAY);
    ends.from.faults().add(Rule::new(busy).path(".s"));
    let report = ends.run().await;
    assert_eq!(report.groups[&Group::Additional].done, 1);
    // A signature and a bill of 41 manifests: asked for once, but for those first under way.
    let asked = ends.from.faults().count(&Method::HEAD, ".s");
    assert!((82..82 + 5 * 20).contains(&asked), "{asked}");
    let failures: Vec<_> = report.lost.iter().map(|lost| &lost.failure.chain).collect();
    assert!(failures.iter().all(|chain| chain[0].contains(".sbom`")), "{failures:?}");
}

/// An image that came before anybody insisted is looked at as well; and each run after that costs
/// one request more than without.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_there_already_needs_a_signature_too() {
    let (place, image) = (Memory::default(), image());
    let at = place.destination(&repository("it")).unwrap();
    image.push(&*at, Some(&tag("v1"))).await.unwrap();
    let mut ends = Ends::over(Arc::new(place), image.clone()).await;
    assert!(ends.run().await.is_complete());

    ends.attaching = with(Signatures::Require);
    let report = ends.run().await;
    let failure = &report.lost[0].failure;
    assert_eq!((report.lost.len(), failure.code), (1, Code::Signature));
    assert!(failure.chain[0].ends_with("there is no signature beside it"), "{failure:?}");

    let signature = signature(&image);
    signature.content.push(&*at, signature.tag.as_ref()).await.unwrap();
    let report = ends.run().await;
    assert!(report.is_complete() && report.present.len() == 1, "{report:?}");
    assert_eq!(report.attachments[&Group::Additional].done, 1);
    let name = about(image.digest(), "sig");
    assert_eq!(ends.to.faults().count(&Method::PUT, &format!("/manifests/{name}")), 1);

    // What the destination has counts, whatever became of the one at the source.
    at.delete_tag(&name).await.unwrap();
    ends.from.faults().take_log();
    ends.to.faults().take_log();
    let report = ends.run().await;
    assert!(report.is_complete() && report.attachments.is_empty(), "{report:?}");
    let asked = |ends: &FaultRegistry| -> Vec<_> {
        let log = ends.faults().log();
        let manifests = log.iter().filter(|one| one.path.contains("/it/"));
        manifests.map(|one| (one.method.clone(), one.path.clone())).collect()
    };
    let head = |what: &str| (Method::HEAD, format!("/v2/it/manifests/{what}"));
    assert_eq!(asked(&ends.from), [head("v1")]);
    assert_eq!(asked(&ends.to), [head("v1"), head(name.as_str())]);
}

/// Who is not let at a signature cannot say that there is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_is_required_and_hidden_is_told_as_such() {
    for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        for is_there in [false, true] {
            let mut ends = Ends::new(vec![]).await;
            if is_there {
                assert!(ends.run().await.is_complete());
            }
            ends.from.faults().add(Rule::new(Fault::status(status)).path(".sig"));
            ends.attaching = with(Signatures::Require);
            let report = ends.run().await;
            let failure = &report.lost[0].failure;
            assert_eq!((report.lost.len(), failure.code), (1, Code::Transport(Cause::Auth)));
            let told = format!("could not look whether `{}` is signed", ends.image.digest());
            assert_eq!(failure.chain[0], told, "{failure:?}");
            assert!(failure.hint.as_deref().unwrap().starts_with("log in"), "{failure:?}");
        }
    }
}
