//! From what a rule raised to a finding with its place in the record.

use crate::rule::Raised;
use crate::run::Run;
use crate::secret::masked;
use crate::verdict::{Finding, Place};

/// Looks up where a finding points.
pub(super) fn finding(run: Option<&Run>, raised: &Raised) -> Finding {
    let place = raised.path.as_ref().zip(run).and_then(|(path, run)| {
        // What is absent is pointed at by the nearest object that should hold it.
        let span = run.span(path);
        Place::new(&run.document, span, raised.label.clone())
    });
    Finding {
        code: raised.code.name.into(),
        message: masked(&raised.message).into_owned(),
        path: raised.path.as_ref().map(ToString::to_string),
        place,
        help: raised.help.clone(),
        comparison: raised.comparison,
        waiver: None,
        beyond: Vec::new(),
    }
}
