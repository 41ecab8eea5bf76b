//! What a new entry builds on: an intact chain, entries that the signer trusts, and one ledger identity. A signature
//! vouches for everything that its entry builds on.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::trust::TrustedKeys;
use super::verify::{Look, broken_chain};
use super::{UNTRUSTED, VERIFY_UNSIGNED, VERIFY_VERIFIER, WOULD_NOT_VERIFY};
use crate::code::Code;
use crate::document::Diagnostic;
use crate::ledger::{BROKEN, Entry, Ledger, VERIFIER, passed_by_themselves};
use crate::signing::PrivateKey;

/// The options of a command that writes to the ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signer<'s> {
    pub(super) keys: &'s [PrivateKey],
    pub(super) trust: Option<&'s TrustedKeys>,
    /// `--accept-untrusted` was given.
    pub(super) accept_untrusted: bool,
    /// Nothing is written.
    pub(super) dry_run: bool,
}

impl Signer<'_> {
    /// Checks that a new entry may build on these entries of a stage history; returns what weakens it.
    ///
    /// The newest entry and the baseline must be trusted by the signer; the chain protects those in between. An
    /// unsigned entry may not build on a signed one: no signed entry could follow.
    pub(super) fn may_build_on(
        self,
        look: Look<'_>,
        entries: &[Entry],
    ) -> Result<Vec<Json>, Box<Diagnostic>> {
        if let Some(why) = broken_chain(entries, look.line) {
            return Err(Diagnostic::new(BROKEN, why).help(RESTORE).boxed());
        }
        let Some(newest) = entries.last() else { return Ok(Vec::new()) };
        let baseline = passed_by_themselves(entries).iter().rposition(|passed| *passed);
        let mut weaker = Vec::new();
        let older = baseline.map(|at| &entries[at]).filter(|entry| entry.number != newest.number);
        for entry in older.into_iter().chain([newest]) {
            match look.sound(entry) {
                Ok(_) => {}
                Err(problem) if problem.code.is_any_of(&NOT_TRUSTED) && self.accept_untrusted => {
                    let says = format!("--accept-untrusted: promotion {}, {}", entry.number, problem.message);
                    weaker.push(json!({ "what": "untrusted", "says": says }));
                }
                Err(problem) if problem.code.is_any_of(&NOT_TRUSTED) => {
                    return Err(untrusted(entry, look, &problem.message));
                }
                Err(problem) => {
                    let help = problem.help.clone().unwrap_or_else(|| RESTORE.to_owned());
                    return Err(Diagnostic::new(BROKEN, problem.message).help(help).boxed());
                }
            }
        }
        if self.keys.is_empty() && self.trust.is_none() && newest.envelope.is_some() && !self.dry_run {
            let message = format!(
                "promotion {} of {} is signed, but this one would not be, and no signed entry could follow it",
                newest.number, look.line
            );
            if !self.accept_untrusted {
                let help = "sign it: --key FILE, or GATE_SIGNING_KEY; to continue without signatures: \
                 --accept-untrusted";
                return Err(Diagnostic::new(UNTRUSTED, message).help(help).boxed());
            }
            weaker.push(json!({ "what": "untrusted", "says": format!("--accept-untrusted: {message}") }));
        }
        Ok(weaker)
    }

    /// Checks that the named trust will accept the new entry.
    pub(super) fn will_verify(self, stage: &str, id: &str, now: Timestamp) -> Result<(), Box<Diagnostic>> {
        let Some(trust) = self.trust else { return Ok(()) };
        if self.dry_run && self.keys.is_empty() {
            return Ok(());
        }
        if let Some(wanted) = trust.ledger.as_deref().filter(|wanted| *wanted != id) {
            let message = format!("this is the ledger {id}, but the trust file is for the ledger {wanted}");
            return Err(Diagnostic::new(WOULD_NOT_VERIFY, message)
                .help("name the right ledger with --ledger DIR, or its trust file with --trust FILE")
                .boxed());
        }
        let signs = |key: &PrivateKey| {
            let public = key.public();
            let usable = trust.usable(stage, now);
            usable.iter().any(|trusted| trusted.key == public && trusted.verifier == VERIFIER)
        };
        let (signing, needed) = (self.keys.iter().filter(|key| signs(key)).count(), trust.needed(stage));
        if signing >= needed {
            return Ok(());
        }
        let message = match self.keys.len() {
            0 => "the new entry would not be signed, but the named keys require a signature".to_owned(),
            _ => format!(
                "{signing} of the signing keys are trusted for `{stage}`, but {needed} are required: the \
                 new entry would not verify"
            ),
        };
        let help = "sign with a trusted key: --key FILE, or GATE_SIGNING_KEY (check that the job has access \
         to this secret)";
        Err(Diagnostic::new(WOULD_NOT_VERIFY, message).help(help).boxed())
    }

    /// The ledger's identity: the existing one, else the one in the trust file, else a new one.
    pub(super) fn identity(self, ledger: &Ledger<'_>) -> Result<String, Box<Diagnostic>> {
        let mut known = ledger.id()?.map(|id| ("its file `id`".to_owned(), id));
        for line in ledger.lines()? {
            let Some(Ok(statement)) = ledger.head(&line)?.map(|entry| entry.statement()) else { continue };
            let Some(id) = statement.own_text(&["ledger"]) else { continue };
            match &known {
                None => known = Some((line.to_string(), id.to_owned())),
                Some((by, other)) if other != id => {
                    let message = format!(
                        "the ledger is {other} according to {by}, but {id} according to {line}: one of them is from another ledger"
                    );
                    return Err(Diagnostic::new(BROKEN, message).help(RESTORE).boxed());
                }
                Some(_) => {}
            }
        }
        if let Some((_, id)) = known {
            return Ok(id);
        }
        if let Some(id) = self.trust.and_then(|trust| trust.ledger.clone()) {
            return Ok(id);
        }
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            Diagnostic::new(crate::ledger::CANT_WRITE, format!("the system gives no random bytes: {error}"))
                .boxed()
        })?;
        Ok(crate::document::hex(&random))
    }
}

/// Codes that mean a trusted signature is missing, not that something was changed.
const NOT_TRUSTED: [Code; 2] = [VERIFY_UNSIGNED, VERIFY_VERIFIER];

const RESTORE: &str = "restore the ledger from git; `gate audit` lists everything that is wrong, and \
 docs/releasing.md explains what to do after merging two branches that both promoted";

fn untrusted(entry: &Entry, look: Look<'_>, why: &str) -> Box<Diagnostic> {
    let message = format!(
        "a new entry would build on promotion {} of {}, and vouch for it: {why}",
        entry.number, look.line
    );
    let help = format!(
        "if the key is yours, trust it too: --trusted-key OLD.pub --trusted-key NEW.pub, or --trust FILE; \
         if nobody knows that entry, remove `{}` from the ledger; to build on it anyway: --accept-untrusted",
        entry.label
    );
    Diagnostic::new(UNTRUSTED, message).help(help).boxed()
}
