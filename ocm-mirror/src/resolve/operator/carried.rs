use std::collections::{BTreeMap, BTreeSet};

use ocm_config::Catalog;
use ocm_oci::ImageRef;

use crate::{
    Kind, Name,
    resolve::{Gathered, Upstream},
};

impl Gathered<'_> {
    /// Adds the images of operators that an archive has, though not the catalog that leads to
    /// them: what is there is mirrored, as from registry to registry. Which catalog they are of,
    /// only that one could tell; what others lead to is theirs, and was added before.
    pub(super) fn carried(&mut self, catalog: &Catalog, from: Upstream<'_>) {
        let (Upstream::Archive(archived), Ok(wanted)) = (from, &catalog.wanted) else { return };
        // What the archive was not asked for has no images in it.
        if archived.image(&catalog.written).is_none() && archived.lost(&catalog.written).is_none() {
            return;
        }
        let plan = archived.plan();
        let wishes = self.resolved.wishes.iter();
        let others: BTreeMap<_, _> =
            wishes.map(|(id, wanted)| (wanted.origin.clone(), id)).collect();
        let mut known = BTreeMap::new();
        for (id, image) in plan.images() {
            if !matches!(image.kind, Kind::Bundle | Kind::RelatedImage) {
                continue;
            }
            let needs: BTreeSet<_> =
                image.needs.iter().filter_map(|need| known.get(need).copied()).collect();
            if needs.len() < image.needs.len() {
                continue;
            }
            for Name { origin, .. } in &image.names {
                let wish = match (others.get(origin), origin.parse::<ImageRef>()) {
                    (Some(wish), _) => Some(*wish),
                    (None, Ok(origin)) => {
                        let how = (&wanted.platforms, from);
                        // What is not whole was told when the archive was written.
                        self.operand(&origin, image.kind, how, needs.clone()).ok().flatten()
                    }
                    (None, Err(_)) => None,
                };
                if let Some(wish) = wish {
                    known.entry(id).or_insert(wish);
                }
            }
        }
    }
}
