use std::{collections::BTreeSet, error::Error};

use ocm_config::{AdditionalImage, ImageSet, WantedImage};
use ocm_oci::{Reference, TagOrDigest};

use crate::{
    Archived, Code, Destination, DestinationRules, Failure, Kind, Layouts, Location, Lost, Place,
    Side, Wanted, Wishes,
};

/// What a configuration amounts to: what is wanted, and what is not.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// What is wanted, in the order of the configuration.
    pub wishes: Wishes,
    /// What is named in a way that has no meaning, or is not in the archive.
    pub lost: Vec<Lost>,
    /// Origins that a pattern of `blockedImages` matches, in order.
    pub blocked: Vec<String>,
}

/// Where the images of a configuration are read.
#[derive(Debug, Clone, Copy)]
pub enum Upstream<'a> {
    /// Where their references say, these directories among them.
    Origins(&'a Layouts),
    /// In an archive, by what they are called in the configuration.
    Archive(&'a Archived),
}

/// Finds out which images `image_set` means. Pure: nothing is asked.
///
/// Without `rules` the images go into an archive, which has neither host nor namespace.
pub fn resolve(
    image_set: &ImageSet,
    rules: Option<&DestinationRules>,
    from: Upstream<'_>,
) -> Resolved {
    let mut resolved = Resolved::default();
    let (mut known, mut lost) = (BTreeSet::new(), BTreeSet::new());
    for image in &image_set.mirror.additional_images {
        match wish(image, image_set, (rules, from)) {
            Ok(None) => resolved.blocked.push(image.name.clone()),
            Ok(Some(wanted)) => {
                // The same line twice is one image; the same image for more platforms is not.
                let key = (wanted.origin.clone(), wanted.repository.clone(), wanted.tag.clone());
                if known.insert((key, wanted.platforms.clone())) {
                    resolved.wishes.add(wanted);
                }
            }
            Err(failure) => {
                if lost.insert((&image.name, failure.chain.clone())) {
                    let failure = failure.of(&image.name);
                    resolved.lost.push(Lost { kind: Kind::Additional, failure });
                }
            }
        }
    }
    resolved
}

/// Returns what is wished for; `None` where a pattern blocks it.
fn wish(
    image: &AdditionalImage,
    image_set: &ImageSet,
    (rules, from): (Option<&DestinationRules>, Upstream<'_>),
) -> Result<Option<Wanted>, Failure> {
    let wanted = image.wanted.as_ref().map_err(|faults| {
        let hint = faults.iter().find_map(|fault| fault.problem.hint());
        explained(faults, hint)
    })?;
    let named = match rules {
        Some(rules) => rules.of(wanted),
        None => Destination::in_archive(wanted),
    };
    let destination = named.map_err(|error| explained(&error, None))?;
    // Before it is looked for: what was blocked is in no archive either.
    if is_blocked(image_set, rules, &image.name, &destination) {
        return Ok(None);
    }
    let (from, reference) = match from {
        Upstream::Origins(layouts) => origin(wanted, layouts)?,
        Upstream::Archive(archived) => in_archive(image, archived)?,
    };
    Ok(Some(Wanted {
        origin: image.name.clone(),
        from,
        reference,
        platforms: wanted.platforms.clone(),
        repository: destination.repository,
        tag: destination.tag,
        kind: Kind::Additional,
        needs: BTreeSet::new(),
    }))
}

/// Returns where a reference points. A tag beside a digest is only a name.
fn origin(wanted: &WantedImage, layouts: &Layouts) -> Result<(Location, TagOrDigest), Failure> {
    match &wanted.reference {
        Reference::Image(image) => {
            let place = Place::Registry(image.host().clone());
            let repository = image.repository().clone();
            Ok((Location { place, repository }, image.selector()))
        }
        Reference::Layout(layout) => layouts.find(layout),
    }
}

/// Finds an image in an archive by what it is called in the configuration.
fn in_archive(
    image: &AdditionalImage,
    archived: &Archived,
) -> Result<(Location, TagOrDigest), Failure> {
    let missing = |what: &str| {
        Failure::without(Code::Archive, Side::Source, what.to_owned())
            .with_hint("mirror to disk again with this configuration, and carry that archive over")
    };
    let Some(found) = archived.image(&image.name) else {
        return Err(match archived.lost(&image.name) {
            Some(why) => {
                let mut failure =
                    missing("the image could not be had when the archive was written");
                failure.chain.extend(why.chain.iter().cloned());
                failure
            }
            None => missing("the image is not in the archive"),
        });
    };
    if !archived.is_whole(found) {
        return Err(missing("the image is not whole in the archive: copying it failed"));
    }
    let location = Location { place: Place::Archive, repository: found.repository.clone() };
    Ok((location, TagOrDigest::Digest(found.root.clone())))
}

/// Whether a pattern matches the image's origin or its destination, both without transport.
fn is_blocked(
    image_set: &ImageSet,
    rules: Option<&DestinationRules>,
    origin: &str,
    Destination { repository, tag }: &Destination,
) -> bool {
    let origin = origin.split_once("://").map_or(origin, |(_, name)| name);
    let destination = match rules {
        Some(rules) => format!("{}/{repository}:{tag}", rules.host()),
        None => format!("{repository}:{tag}"),
    };
    let patterns = &image_set.mirror.blocked_images;
    patterns.iter().any(|pattern| pattern.matches(origin) || pattern.matches(&destination))
}

fn explained(error: &dyn Error, hint: Option<String>) -> Failure {
    let failure = Failure::new(Code::Reference, Side::Source, error);
    match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}
