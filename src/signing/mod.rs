//! Signatures over bytes: keys in PEM files, and DSSE envelopes.
//!
//! Pure: a key is text, an envelope is text, and nothing here opens a file. The envelope follows DSSE 1.0.2
//! (<https://github.com/secure-systems-lab/dsse>); the keys are Ed25519 (RFC 8032) and ECDSA on P-256 with SHA-256, as
//! PKCS#8 and SPKI in PEM, which is what openssl reads and writes.

mod envelope;
mod keys;

pub use envelope::{Envelope, KeyId, Verified};
pub use keys::{Algorithm, PrivateKey, PublicKey};

/// What the payload of an envelope is that signs a run record.
pub const RECORD_TYPE: &str = "application/vnd.model-gate.run+json";
/// What the name of that envelope ends in, behind the whole name of the record.
pub const BESIDE: &str = ".dsse";

use crate::code::codes;

codes! {
    NOT_A_KEY = "signing/not-a-key": "A file has no key in PEM, or one of the wrong type.";
    NOT_AN_ENVELOPE = "signing/not-an-envelope": "A file is not a DSSE envelope.";
}
