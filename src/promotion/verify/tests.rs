//! Every bit of a promotion matters: flipping any single one in the statement or in the envelope is detected.

use jiff::Timestamp;
use rayon::prelude::*;
use serde_json::json;

use super::super::trust::{Trusted, TrustedKeys};
use super::Look;
use crate::document::sha256;
use crate::ledger::{
    EXTENSION, Entry, PASSED, PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, StageHistory, VERIFIER, level,
};
use crate::signing::{Algorithm, Envelope, PrivateKey};

fn trusted(key: &PrivateKey) -> Trusted {
    Trusted {
        key: key.public(),
        label: "a key".into(),
        verifier: VERIFIER.into(),
        stages: Vec::new(),
        not_after: None,
    }
}

/// A minimal promotion; each has a different shape.
fn statement(number: usize, line: &StageHistory) -> String {
    let mut own = json!({ "model": line.model, "stage": line.stage, "sequence": number + 1 });
    match number % 5 {
        1 => own["previous"] = json!({ "sequence": number, "digest": { "sha256": sha256(b"before") } }),
        2 => own["waivers"] = json!([{ "rule": "m", "expires": "2126-01-01" }]),
        3 => own["expires"] = json!("2126-01-01T00:00:00Z"),
        4 => own["action"] = json!("rollback"),
        _ => {}
    }
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": [{ "name": format!("m{number}"), "digest": { "sha256": sha256(&number.to_be_bytes()) } }],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "verifier": { "id": VERIFIER },
            "timeVerified": "2026-06-01T09:14:22Z",
            "resourceUri": line.uri(),
            "policy": { "digest": { "sha256": sha256(b"policy") } },
            "verificationResult": PASSED,
            "verifiedLevels": [level(&line.stage)],
            EXTENSION: own,
        },
    });
    if number.is_multiple_of(2) { statement.to_string() } else { format!("{statement:#}\n") }
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[test]
fn no_bit_of_twenty_promotions_can_be_flipped() {
    let line = StageHistory::new("churn", "production").expect("a line");
    let now: Timestamp = "2026-06-02T00:00:00Z".parse().expect("a time");
    let key = |seed: u8, algorithm| PrivateKey::from_random(algorithm, &[seed; 32]).expect("a key");
    for number in 0..20 {
        // Mostly Ed25519, then P-256, then both, with both required.
        let keys = match number {
            0..17 => vec![key(1, Algorithm::Ed25519)],
            17..19 => vec![key(2, Algorithm::P256)],
            _ => vec![key(1, Algorithm::Ed25519), key(2, Algorithm::P256)],
        };
        let trust = TrustedKeys {
            threshold: [(line.stage.clone(), keys.len())].into_iter().collect(),
            keys: keys.iter().map(trusted).collect(),
            policies: Vec::new(),
            ledger: None,
        };
        let statement = statement(number, &line).into_bytes();
        let envelope = Envelope::sign(PAYLOAD_TYPE, &statement, &keys).to_json().into_bytes();
        let look = Look { line: &line, trust: Some(&trust), now };
        let accepted = |statement: Vec<u8>, envelope: Vec<u8>| {
            let entry = Entry {
                number: number as u64 + 1,
                label: "entry".into(),
                digest: sha256(&statement),
                bytes: statement,
                envelope: Some(("envelope".into(), envelope)),
            };
            look.in_force(&entry).is_ok()
        };
        assert!(accepted(statement.clone(), envelope.clone()), "{}", String::from_utf8_lossy(&statement));
        let of_statement = (0..statement.len() * 8)
            .into_par_iter()
            .find_any(|bit| accepted(flipped(&statement, *bit), envelope.clone()));
        assert_eq!(of_statement, None, "a bit of the statement of {number}");
        let of_envelope = (0..envelope.len() * 8)
            .into_par_iter()
            .find_any(|bit| accepted(statement.clone(), flipped(&envelope, *bit)));
        assert_eq!(of_envelope, None, "a bit of the envelope of {number}");
    }
}
