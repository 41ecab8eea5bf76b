//! Points an alias in MLflow's registry to a promotion, and says how to do it by hand.

use super::ALIAS_NOT_SET;
use crate::document::Diagnostic;
use crate::tracker::mlflow::Registered;
use crate::verdict::PromotionOutcome as Outcome;

/// Sets the alias. The promotion is valid even if this fails; `gate audit` reports the difference.
pub(super) fn follow(registered: &Registered, alias: &str, outcome: &mut Outcome) {
    let (name, number) = (&registered.name, registered.number);
    match registered.point(alias) {
        Ok(()) => {
            outcome
                .notes
                .push(format!("{name}@{alias} points to version {number} in {}", registered.server()));
        }
        Err(problem) => {
            let message = format!(
                "the promotion is in the ledger, but the alias {name}@{alias} was not set: {}",
                problem.message
            );
            let help = format!("set it yourself: {}", by_hand(name, alias, &number.to_string()));
            outcome.troubles.push(Diagnostic::new(ALIAS_NOT_SET, message).help(help));
        }
    }
}

/// The line of Python that sets an alias.
pub(super) fn by_hand(name: &str, alias: &str, number: &str) -> String {
    format!("client.set_registered_model_alias(\"{name}\", \"{alias}\", \"{number}\")")
}
