use std::collections::BTreeSet;

use ocm_config::{AdditionalImage, ImageSet, ItemFault};

use super::{Gathered, Resolved, Upstream, explained};
use crate::{Destination, DestinationRules, Failure, Kind, Wanted};

/// Finds out which of the additional images of `image_set` are to be mirrored. Pure: nothing is
/// asked.
///
/// Without `rules` the images go into an archive, which has neither host nor namespace.
pub fn additional_images(
    image_set: &ImageSet,
    rules: Option<&DestinationRules>,
    from: Upstream<'_>,
) -> Resolved {
    let mut gathered = Gathered::new(image_set, rules);
    gathered.additional_images(from);
    gathered.resolved.attachments = from.attachments();
    gathered.resolved
}

impl Gathered<'_> {
    pub(super) fn additional_images(&mut self, from: Upstream<'_>) {
        for image in &self.image_set.mirror.additional_images {
            match self.additional(image, from) {
                Ok(None) => {}
                // The same line twice is one image; the same image for more platforms is not.
                Ok(Some(wanted)) => drop(self.wish(wanted)),
                Err(failure) => self.lose(Kind::Additional, &image.name, failure),
            }
        }
    }

    /// Returns what is wished for; `None` where a pattern blocks it.
    fn additional(
        &mut self,
        image: &AdditionalImage,
        from: Upstream<'_>,
    ) -> Result<Option<Wanted>, Failure> {
        let wanted = image.wanted.as_ref().map_err(|faults| {
            let hint = faults.iter().find_map(ItemFault::hint);
            explained(faults, hint)
        })?;
        let named = match self.rules {
            Some(rules) => rules.of(wanted),
            None => Destination::in_archive(wanted),
        };
        let destination = named.map_err(|error| explained(&error, None))?;
        // Before it is looked for: what was blocked is in no archive either.
        if self.is_blocked(&image.name, &destination) {
            return Ok(None);
        }
        let (from, reference) = from.find(&image.name, &wanted.reference)?;
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
}
