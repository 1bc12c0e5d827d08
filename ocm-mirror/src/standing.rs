use crate::{
    Decided, DecidedCatalog, Failure, Places, Plan, Report, RetryPolicy, resources::There,
    retry::Patience, survey::head,
};

/// Finds out which of the catalogs that a run could not bring to the destination are there all the
/// same, as an earlier run has left them: a cluster goes on with these. Returns them, each with why
/// that cannot be told, if it cannot.
///
/// # Cancel safety
///
/// Dropping the future stops asking.
pub async fn standing<'d>(
    (plan, report): (&Plan, &Report),
    decided: &'d Decided,
    places: &Places,
    retry: RetryPolicy,
) -> Vec<(&'d DecidedCatalog, Result<(), Failure>)> {
    let there = There::of(plan, report);
    let (to, patience) = (plan.destination(), Patience::new(retry));
    let mut standing = Vec::new();
    for catalog in &decided.catalogs {
        let at = (&catalog.destination.repository, &catalog.destination.tag);
        if there.has(at.0, at.1) {
            continue;
        }
        match head(places, to, at, &patience).await {
            Ok(None) => {}
            Ok(Some(_)) => standing.push((catalog, Ok(()))),
            Err(failure) => standing.push((catalog, Err(failure))),
        }
    }
    standing
}
