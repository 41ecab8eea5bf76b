//! `gate verify`: what must fail, one case per line, and what must pass.

use std::fs;

use mlgate::document::sha256;
use mlgate::ledger::{EXTENSION, PAYLOAD_TYPE};
use mlgate::signing::{Algorithm, Envelope, PrivateKey};
use serde_json::{Value, json};

use crate::project::{Project, Ran};

const STATEMENT: &str = "ledger/churn/production/000001.json";

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_random(Algorithm::Ed25519, &[seed; 32]).expect("a key")
}

/// A signed promotion to production.
struct Signed {
    project: Project,
    statement: Value,
}

fn signed() -> Signed {
    let project = Project::new();
    let model = "the weights\n";
    let digest = sha256(model.as_bytes());
    let record = format!(
        "{{\"run_id\": \"r1\", \"model\": \"churn\", \"metrics\": {{\"f1\": 0.8}}, \
         \"artifact\": {{\"path\": \"m.bin\", \"digest\": \"sha256:{digest}\"}}}}\n"
    );
    let policy = "version: 1\nstages: { staging: {}, production: {} }\nrules:\n  m: { metrics: { f1: { min: 0.5 } } }\n";
    project.file("gate.yaml", policy).file("m.bin", model).file("r.json", record);
    for seed in [1, 2, 3] {
        project
            .file(&format!("{seed}.key"), key(seed).to_pem())
            .file(&format!("{seed}.pub"), key(seed).public().to_pem());
    }
    project.gate(&["promote", "r.json", "-s", "production", "--key", "1.key"]).leaves_with(0);
    let statement = serde_json::from_str(&project.read(STATEMENT)).expect("JSON");
    Signed { project, statement }
}

impl Signed {
    /// Replaces the promotion by a statement, signed with these keys.
    fn put(&self, text: &str, payload_type: &str, keys: &[u8]) {
        let keys: Vec<PrivateKey> = keys.iter().map(|seed| key(*seed)).collect();
        let envelope = Envelope::sign(payload_type, text.as_bytes(), &keys).to_json();
        self.put_with(text, &envelope);
    }

    fn put_with(&self, text: &str, envelope: &str) {
        let folder = self.project.path().join("ledger/churn/production");
        for entry in fs::read_dir(&folder).expect("the ledger") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                fs::remove_file(path).expect("removed");
            }
        }
        self.project.file(STATEMENT, text);
        let name = format!("ledger/churn/production/000001-{}.intoto.json", &sha256(text.as_bytes())[..8]);
        self.project.file(&name, envelope);
    }

    fn envelope(&self) -> (String, String) {
        let name =
            format!("ledger/churn/production/000001-{}.intoto.json", &sha256(self.text().as_bytes())[..8]);
        let text = self.project.read(&name);
        (name, text)
    }

    fn text(&self) -> String {
        self.project.read(STATEMENT)
    }

    fn verify(&self, more: &[&str]) -> Ran {
        self.project.gate(&[&["verify", "m.bin", "-s", "production"], more].concat())
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A change to the statement, which a trusted key then signs: the signature is not what fails.
type Change = fn(&mut Value);

/// The name of the case, the change, and the code that refuses it.
const SIGNED_BUT_WRONG: &[(&str, Change, &str)] = &[
    (
        "wrong-statement-type",
        |s| s["_type"] = json!("https://in-toto.io/Statement/v0.1"),
        "verify/wrong-type",
    ),
    (
        "no-statement-type",
        |s| drop(s.as_object_mut().expect("an object").remove("_type")),
        "verify/wrong-type",
    ),
    (
        "wrong-predicate-type",
        |s| s["predicateType"] = json!("https://slsa.dev/provenance/v1"),
        "verify/wrong-type",
    ),
    (
        "predicate-type-with-a-slash",
        |s| s["predicateType"] = json!("https://slsa.dev/verification_summary/v1/"),
        "verify/wrong-type",
    ),
    (
        "predicate-type-as-a-list",
        |s| s["predicateType"] = json!(["https://slsa.dev/verification_summary/v1"]),
        "verify/wrong-type",
    ),
    (
        "subject-md5-only",
        |s| s["subject"][0]["digest"] = json!({"md5": "d41d8cd98f00b204e9800998ecf8427e"}),
        "verify/not-promoted",
    ),
    (
        "subject-of-another-file",
        |s| s["subject"][0]["digest"]["sha256"] = json!("ab".repeat(32)),
        "verify/not-promoted",
    ),
    (
        "subject-in-capitals",
        |s| {
            s["subject"][0]["digest"]["sha256"] =
                json!(s["subject"][0]["digest"]["sha256"].as_str().expect("text").to_uppercase());
        },
        "verify/not-promoted",
    ),
    (
        "subject-cut-short",
        |s| {
            s["subject"][0]["digest"]["sha256"] =
                json!(&s["subject"][0]["digest"]["sha256"].as_str().expect("text")[..63]);
        },
        "verify/not-promoted",
    ),
    ("no-subject", |s| s["subject"] = json!([]), "verify/not-promoted"),
    (
        "subject-under-another-algorithm",
        |s| s["subject"][0]["digest"] = json!({"sha512": s["subject"][0]["digest"]["sha256"]}),
        "verify/not-promoted",
    ),
    (
        "kind-of-a-folder",
        |s| s["predicate"][EXTENSION]["artifacts"][0]["kind"] = json!("folder"),
        "verify/other-subject",
    ),
    ("no-kind", |s| s["predicate"][EXTENSION]["artifacts"] = json!([]), "verify/other-subject"),
    (
        "other-verifier",
        |s| s["predicate"]["verifier"]["id"] = json!("https://example.org/verifier"),
        "verify/other-verifier",
    ),
    ("no-verifier", |s| s["predicate"]["verifier"] = json!({}), "verify/other-verifier"),
    ("other-stage", |s| s["predicate"]["resourceUri"] = json!("gate:churn/staging"), "verify/other-resource"),
    (
        "other-model",
        |s| s["predicate"]["resourceUri"] = json!("gate:fraud/production"),
        "verify/other-resource",
    ),
    (
        "other-stage-inside",
        |s| s["predicate"][EXTENSION]["stage"] = json!("staging"),
        "verify/other-resource",
    ),
    ("other-model-inside", |s| s["predicate"][EXTENSION]["model"] = json!("fraud"), "verify/other-resource"),
    (
        "resource-as-a-prefix",
        |s| s["predicate"]["resourceUri"] = json!("gate:churn/production2"),
        "verify/other-resource",
    ),
    ("failed-verdict", |s| s["predicate"]["verificationResult"] = json!("FAILED"), "verify/not-passed"),
    (
        "verdict-in-small-letters",
        |s| s["predicate"]["verificationResult"] = json!("passed"),
        "verify/not-passed",
    ),
    ("no-verdict", |s| s["predicate"]["verificationResult"] = Value::Null, "verify/not-passed"),
    ("verdict-as-truth", |s| s["predicate"]["verificationResult"] = json!(true), "verify/not-passed"),
    (
        "other-level",
        |s| s["predicate"]["verifiedLevels"] = json!(["GATE_STAGE_STAGING"]),
        "verify/not-passed",
    ),
    ("no-level", |s| s["predicate"]["verifiedLevels"] = json!([]), "verify/not-passed"),
    (
        "level-as-text",
        |s| s["predicate"]["verifiedLevels"] = json!("GATE_STAGE_PRODUCTION"),
        "verify/not-passed",
    ),
    ("future-time", |s| s["predicate"]["timeVerified"] = json!("2999-01-01T00:00:00Z"), "verify/out-of-time"),
    ("no-time", |s| s["predicate"]["timeVerified"] = Value::Null, "verify/out-of-time"),
    (
        "time-without-a-zone",
        |s| s["predicate"]["timeVerified"] = json!("2026-01-01T00:00:00"),
        "verify/out-of-time",
    ),
    ("ended", |s| s["predicate"][EXTENSION]["expires"] = json!("2026-01-01T00:00:00Z"), "verify/out-of-time"),
    ("end-that-is-no-time", |s| s["predicate"][EXTENSION]["expires"] = json!("soon"), "verify/out-of-time"),
    (
        "end-as-a-number",
        |s| s["predicate"][EXTENSION]["expires"] = json!(4_000_000_000_u64),
        "verify/out-of-time",
    ),
    (
        "end-as-a-list",
        |s| s["predicate"][EXTENSION]["expires"] = json!(["2999-01-01T00:00:00Z"]),
        "verify/out-of-time",
    ),
    ("another-number", |s| s["predicate"][EXTENSION]["sequence"] = json!(2), "verify/superseded"),
    ("number-as-text", |s| s["predicate"][EXTENSION]["sequence"] = json!("1"), "verify/superseded"),
    (
        "chain-gap",
        |s| {
            s["predicate"][EXTENSION]["previous"] =
                json!({"sequence": 0, "digest": {"sha256": "ab".repeat(32)}});
        },
        "verify/superseded",
    ),
    (
        "waiver-ended",
        |s| s["predicate"][EXTENSION]["waivers"] = json!([{"rule": "m", "expires": "2026-01-01"}]),
        "verify/waiver-ended",
    ),
    (
        "waivers-that-are-no-list",
        |s| s["predicate"][EXTENSION]["waivers"] = json!({"rule": "m", "expires": "2126-01-01"}),
        "verify/waiver-ended",
    ),
    ("no-policy-digest", |s| s["predicate"]["policy"] = json!({"uri": "gate.yaml"}), "verify/other-policy"),
    (
        "waiver-without-an-end",
        |s| s["predicate"][EXTENSION]["waivers"] = json!([{"rule": "m"}]),
        "verify/waiver-ended",
    ),
];

#[test]
fn what_a_trusted_key_signed_can_still_be_wrong() {
    let good = signed();
    let text = good.text();
    good.put(&text, PAYLOAD_TYPE, &[1]);
    good.verify(&["--key", "1.pub"]).leaves_with(0);
    for (name, change, code) in SIGNED_BUT_WRONG {
        let mut statement = good.statement.clone();
        change(&mut statement);
        good.put(&pretty(&statement), PAYLOAD_TYPE, &[1]);
        let ran = good.verify(&["--key", "1.pub"]);
        assert!(
            ran.code == 1 && ran.out.contains(code),
            "{name} is not refused by {code}\n{}{}",
            ran.out,
            ran.err
        );
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_at_any_depth() {
    let good = signed();
    let text = good.text();
    for (from, to) in [
        (
            "\"verificationResult\": \"PASSED\"",
            "\"verificationResult\": \"FAILED\",\n    \"verificationResult\": \"PASSED\"",
        ),
        ("\"_type\"", "\"_type\": \"x\", \"_type\""),
        ("\"sequence\": 1,", "\"sequence\": 9, \"sequence\": 1,"),
        ("\"sha256\"", "\"sha256\": \"00\", \"sha256\""),
    ] {
        assert!(text.contains(from), "{from}");
        good.put(&text.replacen(from, to, 1), PAYLOAD_TYPE, &[1]);
        let ran = good.verify(&["--key", "1.pub"]);
        assert!(ran.code == 1, "{from}: {}", ran.out);
        let seen = ran.out.contains("verify/malformed") || ran.out.contains("verify/not-promoted");
        assert!(seen, "{from}: {}", ran.out);
    }
}

#[test]
fn the_envelope_must_be_the_one_that_trusted_keys_signed() {
    let good = signed();
    let text = good.text();
    let refused = |name: &str, options: &[&str], code: &str| {
        let ran = good.verify(options);
        assert!(
            ran.code == 1 && ran.out.contains(code),
            "{name} is not refused by {code}\n{}{}",
            ran.out,
            ran.err
        );
    };
    let (_, envelope) = good.envelope();
    refused("another-key", &["--key", "2.pub"], "verify/not-signed");
    // Signed as something else: the signature is good, but for another payload type.
    good.put(&text, "application/vnd.in-toto.bundle", &[1]);
    refused("wrong-payload-type", &["--key", "1.pub"], "verify/wrong-type");
    good.put_with(&text, &envelope.replace(PAYLOAD_TYPE, "application/vnd.in-toto.bundle"));
    refused("payload-type-swapped-after-signing", &["--key", "1.pub"], "verify/not-signed");
    // The signature of another statement.
    let other = text.replace("\"PASSED\"", "\"FAILED\"");
    let of_other = Envelope::sign(PAYLOAD_TYPE, other.as_bytes(), &[key(1)]).to_json();
    let signature = |envelope: &str| {
        serde_json::from_str::<Value>(envelope).expect("JSON")["signatures"][0]["sig"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    good.put_with(&text, &envelope.replace(&signature(&envelope), &signature(&of_other)));
    refused("dsse-mismatch-envelope", &["--key", "1.pub"], "verify/not-signed");
    // The envelope of another statement.
    good.put_with(&text, &of_other);
    refused("statement-file-differs", &["--key", "1.pub"], "verify/statement-differs");
    refused("statement-file-differs-without-a-key", &[], "verify/statement-differs");
    // The statement alone was edited, and the envelope beside it is still what was signed.
    good.put_with(&text, &envelope);
    good.project.edit(STATEMENT, "\"commit\"", "\"c0mmit\"");
    refused("statement-edited", &["--key", "1.pub"], "verify/statement-differs");
    refused("statement-edited-without-a-key", &[], "verify/statement-differs");
    // It names a trusted key, but another key signed it.
    let by_two = Envelope::sign(PAYLOAD_TYPE, text.as_bytes(), &[key(2)]).to_json();
    good.put_with(&text, &by_two.replace(&key(2).public().key_id(), &key(1).public().key_id()));
    refused("keyid-lies", &["--key", "1.pub"], "verify/not-signed");
    good.put_with(&text, &by_two.replace(&key(2).public().key_id(), &key(1).public().key_id()));
    refused("keyid-lies-of-two-trusted-keys", &["--key", "1.pub", "--key", "2.pub"], "verify/not-signed");
    for (name, broken) in [
        ("empty", String::new()),
        ("no-json", "DSSE".into()),
        ("no-signatures", envelope.replace("\"signatures\":[", "\"signed\":[")),
        ("no-base64", envelope.replacen("\"payload\":\"", "\"payload\":\"*", 1)),
        ("dup-key-payload", envelope.replacen('{', "{\"payload\":\"e30=\",", 1)),
        ("a-space-more", envelope.replacen('{', "{ ", 1)),
        ("an-extra-field", envelope.replacen('{', "{\"x\":1,", 1)),
        ("two-lines", format!("{envelope}{envelope}")),
        ("dup-key-escaped", envelope.replacen('{', "{\"payloa\\u0064\":\"e30=\",", 1)),
        ("too-deep", envelope.replacen('{', &format!("{{\"x\":{}1{},", "[".repeat(200), "]".repeat(200)), 1)),
        ("sixty-five-signatures", {
            let mut many: Value = serde_json::from_str(&envelope).expect("JSON");
            many["signatures"] = json!(vec![many["signatures"][0].clone(); 65]);
            format!("{many}\n")
        }),
    ] {
        good.put_with(&text, &broken);
        refused(name, &["--key", "1.pub"], "verify/malformed");
    }
    good.put_with(&text, &envelope);
    good.verify(&["--key", "1.pub"]).leaves_with(0);
    // The key by the digest of its SPKI, which some signers write, is as good as its fingerprint.
    let spki = key(1).public().ids()[1].clone();
    good.put_with(&text, &envelope.replace(&key(1).public().fingerprint(), &spki));
    good.verify(&["--key", "1.pub"]).leaves_with(0);
    good.put_with(&text, &envelope);
    // Not signed.
    let (name, _) = good.envelope();
    good.project.remove(&name);
    refused("unsigned", &["--key", "1.pub"], "verify/not-signed");
    good.verify(&[]).leaves_with(0).says("the ledger itself").says("anyone who can write to it decides");
}

#[test]
fn many_keys_count_each_once() {
    let good = signed();
    let text = good.text();
    let trust = |text: &str| good.project.file("trust.yaml", text);
    let verify = || good.verify(&["--trust", "trust.yaml"]);
    let two = "keys: [{ file: 1.pub }, { file: 2.pub }]\nthreshold: { production: 2 }\n";
    trust(two);
    verify().leaves_with(1).says("1 of the trusted keys signed this promotion, but `production` needs 2");
    good.put(&text, PAYLOAD_TYPE, &[1, 1]);
    verify().leaves_with(1).says("verify/not-signed");
    // One key that is listed twice counts once.
    good.put(&text, PAYLOAD_TYPE, &[1]);
    trust("keys: [{ file: 1.pub }, { file: 1.pub }]\nthreshold: { production: 2 }\n");
    verify().leaves_with(1).says("verify/not-signed");
    good.put(&text, PAYLOAD_TYPE, &[1, 2]);
    trust(two);
    verify().leaves_with(0).says("by 1.pub, 2.pub");
    good.put(&text, PAYLOAD_TYPE, &[3, 2, 1]);
    verify().leaves_with(0);
    // A key is trusted only for what it is listed for.
    good.put(&text, PAYLOAD_TYPE, &[1]);
    trust("keys: [{ file: 1.pub, stages: [staging] }]\n");
    verify().leaves_with(1).says("is not trusted for the stage `production`");
    trust("keys: [{ file: 1.pub, not_after: 2026-01-01T00:00:00Z }]\n");
    verify().leaves_with(1).says("was trusted until");
    trust("keys: [{ file: 1.pub, verifier: 'https://example.org/v' }]\n");
    verify().leaves_with(1).says("verify/other-verifier");
    let digest = good.statement["predicate"]["policy"]["digest"]["sha256"].as_str().expect("text");
    trust(&format!("keys: [{{ file: 1.pub }}]\npolicies: ['sha256:{digest}']\n"));
    verify().leaves_with(0).says(&format!("sha256:{digest}"));
    trust(&format!("keys: [{{ file: 1.pub }}]\npolicies: ['sha256:{}']\n", "ab".repeat(32)));
    verify().leaves_with(1).says("verify/other-policy");
    let pem = good.project.read("1.pub").trim_end().replace('\n', "\n      ");
    trust(&format!("keys:\n  - spki: |\n      {pem}\n"));
    verify().leaves_with(0);
    for wrong in [
        "keys: []\n",
        "threshold: { production: 1 }\n",
        "keys: [{ file: 1.pub }]\nthreshold: { production: 2 }\n",
        "keys: [{ file: 1.pub }]\nthreshold: { production: 0 }\n",
        "keys: [{ file: nothing.pub }]\n",
        "keys: [{ file: 1.key }]\n",
        "keys: [{ file: 1.pub, spki: x }]\n",
        "keys: [{ file: 1.pub, not_after: tomorrow }]\n",
        "keys: [{ file: 1.pub }]\npolicies: [gate.yaml]\n",
        "keys: [{ file: 1.pub }]\nkeyless: []\n",
    ] {
        trust(wrong);
        verify().leaves_with(2);
    }
}

#[test]
fn a_single_file_is_named_and_needs_a_key() {
    let good = signed();
    let (_, envelope) = good.envelope();
    let deployed = Project::new();
    deployed
        .file("m.bin", "the weights\n")
        .file("m.bin.intoto.json", &envelope)
        .file("1.pub", key(1).public().to_pem());
    let with_ledger =
        |more: &[&str]| deployed.gate(&[&["verify", "m.bin", "-s", "production"], more].concat());
    let verify = |more: &[&str]| with_ledger(&[&["--attestation", "m.bin.intoto.json"], more].concat());
    // A file beside the model does not replace a missing ledger.
    with_ledger(&["--key", "1.pub"]).leaves_with(2).says("verify/no-ledger").says("--attestation FILE");
    verify(&[]).leaves_with(2).says("name the public key");
    verify(&["--key", "1.pub"]).leaves_with(0).says("a single file does not show what came after it");
    verify(&["--key", "1.pub", "--at-least", "2"]).leaves_with(1).says("--at-least requires 2");
    verify(&["--key", "1.pub", "--model", "fraud"]).leaves_with(1).says("verify/other-resource");
    verify(&["--key", "1.pub", "--max-age", "1h", "--now", "2999-01-01T00:00:00Z"])
        .leaves_with(1)
        .says("--max-age");
    // Both base64 alphabets are accepted, and unknown fields are ignored.
    let urlsafe: Value = serde_json::from_str(&envelope).expect("JSON");
    let urlsafe = urlsafe.to_string().replace('+', "-").replace("application/vnd.in-toto-json", PAYLOAD_TYPE);
    let slashes = urlsafe.replace('/', "_").replace("application_vnd", "application/vnd");
    deployed.file("other.json", slashes.replacen('{', "{\"note\":\"kept elsewhere\",", 1));
    with_ledger(&["--key", "1.pub", "--attestation", "other.json"]).leaves_with(0);
    deployed.file("m.bin", "other weights\n");
    verify(&["--key", "1.pub"]).leaves_with(1).says("is for another file");
    deployed.remove("m.bin");
    verify(&["--key", "1.pub"]).leaves_with(2).says("verify/unreadable");
}

/// The unit tests flip every bit; this one checks that the program calls them.
#[test]
fn a_flipped_bit_is_refused_by_the_program() {
    let good = signed();
    let text = good.text();
    let flipped = |bytes: &[u8], bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    let (name, envelope) = good.envelope();
    for bit in (0..envelope.len() * 8).step_by(1_999) {
        good.project.file(&name, flipped(envelope.as_bytes(), bit));
        let ran = good.verify(&["--key", "1.pub"]);
        assert_eq!(ran.code, 1, "bit {bit} of the envelope\n{}{}", ran.out, ran.err);
    }
    good.project.file(&name, &envelope);
    for bit in (0..text.len() * 8).step_by(1_999) {
        good.project.file(STATEMENT, flipped(text.as_bytes(), bit));
        for more in [&["--key", "1.pub"][..], &[]] {
            let ran = good.verify(more);
            assert_eq!(ran.code, 1, "bit {bit} of the statement\n{}{}", ran.out, ran.err);
        }
    }
}

#[test]
fn taking_files_away_never_makes_it_pass() {
    let good = signed();
    good.project.file("n.bin", "newer weights\n");
    let record = good
        .project
        .read("r.json")
        .replace("m.bin", "n.bin")
        .replace(&sha256(b"the weights\n"), &sha256(b"newer weights\n"));
    good.project.file("n.json", record);
    good.project.gate(&["promote", "n.json", "-s", "production", "--key", "1.key"]).leaves_with(0);
    good.verify(&["--key", "1.pub"]).leaves_with(1).says("superseded by promotion 2");
    let newer = |more: &[&str]| {
        good.project.gate(&[&["verify", "n.bin", "-s", "production", "--key", "1.pub"], more].concat())
    };
    newer(&[]).leaves_with(0);
    let first = good.text();
    let (envelope_name, envelope) = good.envelope();
    good.project.remove(STATEMENT);
    newer(&[]).leaves_with(1).says("promotion 1 of churn/production is missing");
    good.project.file(STATEMENT, &first).remove(&envelope_name);
    newer(&[]).leaves_with(0);
    good.project.file(&envelope_name, envelope);
    // A missing newest entry can't be noticed offline; this is what reveals it.
    let folder = good.project.path().join("ledger/churn/production");
    for entry in fs::read_dir(&folder).expect("the ledger") {
        let path = entry.expect("an entry").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("000002")) {
            fs::remove_file(path).expect("removed");
        }
    }
    good.verify(&["--key", "1.pub"]).leaves_with(0);
    good.verify(&["--key", "1.pub", "--at-least", "2"]).leaves_with(1);
}

#[test]
fn what_is_no_model_is_not_waited_for() {
    let good = signed();
    let verify = |model: &str| good.project.gate(&["verify", model, "-s", "production", "--key", "1.pub"]);
    verify("/dev/null").leaves_with(2).says("verify/unreadable");
    #[cfg(unix)]
    {
        let status = std::process::Command::new("mkfifo").arg(good.project.path().join("pipe")).status();
        assert!(status.expect("mkfifo can be started").success());
        verify("pipe").leaves_with(2).says("verify/unreadable");
        // A link to the file is the file.
        std::os::unix::fs::symlink("m.bin", good.project.path().join("current")).expect("a link");
        verify("current").leaves_with(0);
    }
}

#[test]
fn a_key_may_be_handed_over_by_the_shell() {
    let good = signed();
    let gate = env!("CARGO_BIN_EXE_gate");
    let command = format!("{gate} verify m.bin -s production --key <(cat 1.pub)");
    let status = std::process::Command::new("bash")
        .args(["-c", &command])
        .current_dir(good.project.path())
        .stdout(std::process::Stdio::null())
        .status()
        .expect("bash can be started");
    assert!(status.success());
    good.verify(&["--key", "nowhere.pub"]).leaves_with(2).says("key/unreadable");
    good.verify(&["--key", "."]).leaves_with(2).says("is not a regular file").never_says("makes a key");
}

#[test]
fn what_both_sides_expect_of_the_policy_must_hold() {
    let good = signed();
    let digest = good.statement["predicate"]["policy"]["digest"]["sha256"].as_str().expect("text");
    let other = "ab".repeat(32);
    good.project.file("trust.yaml", format!("keys: [{{ file: 1.pub }}]\npolicies: ['sha256:{digest}']\n"));
    let verify = |digest: &str| {
        good.verify(&["--trust", "trust.yaml", "--policy-digest", &format!("sha256:{digest}")])
    };
    verify(digest).leaves_with(0);
    verify(&other).leaves_with(1).says("verify/other-policy");
    // Another option does not lift what one file restricts.
    good.verify(&["--trust", "trust.yaml", "--key", "2.pub"]).leaves_with(2).says("cannot be used with");
}

#[test]
fn time_is_looked_at_from_the_verifying_side() {
    let good = signed();
    let mut statement = good.statement.clone();
    statement["predicate"]["timeVerified"] = json!("2026-06-01T12:00:00Z");
    good.put(&pretty(&statement), PAYLOAD_TYPE, &[1]);
    let at = |now: &str, more: &[&str]| good.verify(&[&["--key", "1.pub", "--now", now], more].concat());
    // Five minutes of clock difference are accepted.
    at("2026-06-01T11:55:00Z", &[]).leaves_with(0);
    at("2026-06-01T11:54:59Z", &[]).leaves_with(1).says("dated in the future");
    at("2026-07-01T12:00:00Z", &["--max-age", "30d"]).leaves_with(0);
    at("2026-07-01T12:00:01Z", &["--max-age", "30d"]).leaves_with(1).says("--max-age");
    at("9999-12-30T21:59:59Z", &[]).leaves_with(0);
}

#[test]
fn an_unsigned_copy_elsewhere_does_not_make_it_unclear() {
    let good = signed();
    let copy =
        good.text().replace("gate:churn/production", "gate:zzz/production").replace("\"churn\"", "\"zzz\"");
    good.project.file("ledger/zzz/production/000001.json", copy);
    good.verify(&["--key", "1.pub"]).leaves_with(0);
    good.verify(&[]).leaves_with(2).says("say which is deployed: --model NAME");
}

#[test]
fn the_whole_answer_as_json() {
    let good = signed();
    let answer = good.verify(&["--key", "1.pub", "--format", "json"]).leaves_with(0).json();
    assert_eq!(answer["verified"], true);
    let checks = answer["checks"].as_array().expect("a list");
    assert_eq!(checks.len(), 14);
    assert!(checks.iter().all(|check| check["state"] == "holds" || check["name"] == "policy"), "{answer:#}");
    assert_eq!(answer["promotion"]["model"], "churn");
    let answer = good.verify(&["--key", "2.pub", "--format", "json"]).leaves_with(1).json();
    let states: Vec<&str> =
        answer["checks"].as_array().expect("a list").iter().filter_map(|one| one["state"].as_str()).collect();
    assert_eq!(states[..4], ["holds", "holds", "holds", "fails"]);
    assert!(states[4..].iter().all(|state| *state == "not-reached"));
    assert_eq!(answer["failure"]["code"], "verify/not-signed");
}
