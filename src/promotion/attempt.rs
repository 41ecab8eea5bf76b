//! A run on its way into the ledger: the request, and what it was judged on.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::foundation::Signer;
use super::statement::Head;
use super::trust::TrustOrder;
use crate::check::{DecidedOn, Workspace};

/// What to promote.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The run reference.
    pub run: String,
    /// The stage to promote it to.
    pub stage: String,
    /// The policy; `None` means the `gate.yaml` here or above.
    pub policy: Option<String>,
    /// What to compare with, instead of what the policy says.
    pub baseline: Option<String>,
    /// Accept a missing baseline.
    pub first: bool,
    /// The model, for a record that does not name one.
    pub model: Option<String>,
    /// Local files of artifacts that the record names by an address.
    pub artifacts: Vec<PathBuf>,
    /// The folder of the ledger.
    pub ledger: Option<PathBuf>,
    /// Files of keys.
    pub keys: Vec<PathBuf>,
    /// The keys that must have signed the promotions that this one builds on; by default its own keys.
    pub trust: TrustOrder,
    /// Build on promotions that no trusted key signed.
    pub accept_untrusted: bool,
    /// Promote what the policy does not allow, for this reason.
    pub overridden: Option<String>,
    /// When the promotion ends.
    pub expires: Option<Timestamp>,
    /// The alias in MLflow's registry to point to the promoted version.
    pub mlflow_alias: Option<String>,
    /// Write nothing.
    pub dry_run: bool,
    /// Output only the predicate, for a signer that makes the statement itself; write and sign nothing.
    pub predicate_only: bool,
}

/// How the request itself weakens the promotion.
pub(super) fn asked(order: &Order, overridden: Option<&str>) -> Vec<Json> {
    let mut all = Vec::new();
    if let Some(reason) = overridden {
        all.push(json!({ "what": "override", "says": reason }));
    }
    if let Some(baseline) = &order.baseline {
        all.push(
            json!({ "what": "baseline", "says": format!("--baseline {baseline}, instead of the policy's") }),
        );
    }
    if let Some(model) = &order.model {
        all.push(json!({ "what": "model", "says": format!("the model {model} comes from --model") }));
    }
    all
}

/// The ledger's state before the run was judged.
pub(super) struct Before {
    /// The newest entry of each stage history.
    pub(super) heads: Vec<Head>,
    /// The identity of the ledger.
    pub(super) id: String,
}

/// A run that was judged.
pub(super) struct Attempt<'a> {
    pub(super) order: &'a Order,
    pub(super) folder: &'a Path,
    pub(super) signer: Signer<'a>,
    pub(super) at: Timestamp,
    pub(super) before: Before,
    pub(super) judged: &'a DecidedOn,
}

impl Attempt<'_> {
    /// The workspace that the paths in the policy and the record are relative to.
    pub(super) fn workspace(&self) -> Workspace {
        Workspace::new(self.folder, &self.judged.root).with_ledger(self.order.ledger.as_deref())
    }
}
