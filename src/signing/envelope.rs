//! The DSSE envelope: bytes, their type, and who signed them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::{NOT_AN_ENVELOPE, PrivateKey, PublicKey};
use crate::document::{Diagnostic, Document, Format, Node};

/// Maximum number of signatures that are checked.
const MOST_SIGNATURES: usize = 64;

/// An envelope that was parsed, but not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The type of the payload, such as `application/vnd.in-toto+json`.
    pub payload_type: String,
    payload: Vec<u8>,
    /// Each signer's key id, and the signature.
    signatures: Vec<(String, Vec<u8>)>,
}

/// Bytes with the trusted keys that signed them.
#[derive(Debug)]
pub struct Verified<'e> {
    /// Their stated type; the signatures cover this too.
    pub payload_type: &'e str,
    /// The bytes.
    pub payload: &'e [u8],
    /// The keys, by index in the given list, without duplicates.
    pub by: Vec<usize>,
}

impl Envelope {
    /// Signs bytes with every key.
    pub fn sign(payload_type: &str, payload: &[u8], keys: &[PrivateKey]) -> Self {
        let message = pre_authentication(payload_type, payload);
        let signatures = keys.iter().map(|key| (key.public().key_id(), key.sign(&message))).collect();
        Self { payload_type: payload_type.into(), payload: payload.into(), signatures }
    }

    /// As JSON on one line, with a trailing newline.
    pub fn to_json(&self) -> String {
        let signatures: Vec<serde_json::Value> = self
            .signatures
            .iter()
            .map(|(id, signature)| serde_json::json!({ "keyid": id, "sig": STANDARD.encode(signature) }))
            .collect();
        let envelope = serde_json::json!({
            "payload": STANDARD.encode(&self.payload),
            "payloadType": self.payload_type,
            "signatures": signatures,
        });
        format!("{envelope}\n")
    }

    /// Parses an envelope. A duplicate key at any depth is an error; unknown keys are ignored; both base64 alphabets
    /// are accepted.
    pub fn parse(name: &str, bytes: Vec<u8>) -> Result<Self, Box<Diagnostic>> {
        let wrong = |why: &str| {
            Diagnostic::new(NOT_AN_ENVELOPE, format!("`{name}` is not a DSSE envelope: {why}"))
                .help("an envelope has `payload`, `payloadType` and `signatures`")
                .boxed()
        };
        let document = Arc::new(Document::new(name, bytes, Format::Json)?);
        let tree = document.parse_long()?;
        let payload_type = string(&tree, "payloadType").ok_or_else(|| wrong("no text `payloadType`"))?;
        let payload = string(&tree, "payload").ok_or_else(|| wrong("no text `payload`"))?;
        let payload = decode(payload).ok_or_else(|| wrong("`payload` is not base64"))?;
        let listed = tree.get("signatures").and_then(Node::as_list).unwrap_or_default();
        if listed.is_empty() || listed.len() > MOST_SIGNATURES {
            return Err(wrong(&format!("it has {} signatures", listed.len())));
        }
        let mut signatures = Vec::new();
        for one in listed {
            let signature =
                string(one, "sig").and_then(decode).ok_or_else(|| wrong("a `sig` is not base64"))?;
            signatures.push((string(one, "keyid").unwrap_or_default().to_owned(), signature));
        }
        Ok(Self { payload_type: payload_type.to_owned(), payload, signatures })
    }

    /// The key ids in the signatures, which are only claims.
    pub fn key_ids(&self) -> Vec<&str> {
        self.signatures.iter().map(|(id, _)| id.as_str()).collect()
    }

    /// The bytes, for uses where signatures don't matter.
    pub fn unverified(&self) -> &[u8] {
        &self.payload
    }

    /// Which of these keys signed; each counts once, however often it signed.
    pub fn verify(&self, keys: &[PublicKey], said: KeyId) -> Verified<'_> {
        let message = pre_authentication(&self.payload_type, &self.payload);
        let ids: Vec<[String; 3]> = keys.iter().map(PublicKey::ids).collect();
        let names = |index: usize, id: &str| ids[index].iter().any(|known| known == id);
        let may = |index: usize, id: &str| {
            let says_nothing = || match said {
                KeyId::Name => id.is_empty(),
                KeyId::Hint => (0..keys.len()).all(|other| !names(other, id)),
            };
            names(index, id) || says_nothing()
        };
        let mut by = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let first = keys.iter().position(|other| other == key) == Some(index);
            let signed =
                |(id, signature): &(String, Vec<u8>)| may(index, id) && key.verifies(&message, signature);
            if first && self.signatures.iter().any(signed) {
                by.push(index);
            }
        }
        Verified { payload_type: &self.payload_type, payload: &self.payload, by }
    }
}

/// How to treat a signature's `keyid`. It never makes a signature valid; it can only rule out keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyId {
    /// An id of one of these keys means that key; any other id is ignored, since every program has its own ids. For
    /// envelopes made by other programs.
    Hint,
    /// An id of none of these keys rules them all out, unless it is empty. For envelopes made by gate, in which
    /// no byte may differ.
    Name,
}

/// The bytes that are signed: DSSE's PAE.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend(payload);
    message
}

fn string<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    match &node.get(key)?.value {
        crate::document::Value::String(text) => Some(text),
        _ => None,
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::Algorithm;

    #[test]
    fn the_message_is_that_of_the_specification() {
        let message = pre_authentication("http://example.com/HelloWorld", b"hello world");
        assert_eq!(message, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn a_key_counts_once_and_what_is_said_of_it_not_at_all() {
        let one = PrivateKey::from_random(Algorithm::Ed25519, &[7; 32]).expect("a key");
        let other = PrivateKey::from_random(Algorithm::P256, &[9; 32]).expect("a key");
        let keys = [one.public(), other.public(), one.public()];
        let mut envelope = Envelope::sign("text", b"bytes", &[one, other]);
        assert_eq!(envelope.verify(&keys, KeyId::Hint).by, [0, 1]);
        let read = Envelope::parse("e", envelope.to_json().into_bytes()).expect("an envelope");
        assert_eq!(read, envelope);
        // With a key id of another program, then with that of the other key.
        envelope.signatures[0].0 = "key-1".into();
        assert_eq!(envelope.verify(&keys, KeyId::Hint).by, [0, 1]);
        assert_eq!(envelope.verify(&keys, KeyId::Name).by, [1]);
        envelope.signatures[0].0 = keys[1].fingerprint();
        assert_eq!(envelope.verify(&keys, KeyId::Hint).by, [1]);
        for (id, _) in &mut envelope.signatures {
            id.clear();
        }
        assert_eq!(envelope.verify(&keys, KeyId::Hint).by, [0, 1]);
        envelope.signatures.truncate(1);
        envelope.signatures.push(envelope.signatures[0].clone());
        assert_eq!(envelope.verify(&keys, KeyId::Hint).by, [0]);
        envelope.payload[0] ^= 1;
        assert!(envelope.verify(&keys, KeyId::Hint).by.is_empty());
    }
}
