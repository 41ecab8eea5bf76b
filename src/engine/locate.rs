//! Where in the record a finding points.

use crate::document::Location;
use crate::run::Run;
use crate::verdict::Finding;

/// Looks up the location of a finding. For a missing value, this is the nearest object that should contain it.
pub(super) fn located(run: Option<&Run>, mut finding: Finding) -> Finding {
    if let (Some((path, label)), Some(run)) = (finding.field.take(), run) {
        finding.diagnostic.location = Some(Location::new(&run.document, run.span(&path), label));
    }
    finding
}
