//! Signatures over bytes: keys in PEM files, and DSSE envelopes.
//!
//! Pure: keys and envelopes are text, and nothing here opens a file. The envelope follows DSSE 1.0.2
//! (<https://github.com/secure-systems-lab/dsse>); the keys are Ed25519 (RFC 8032) and ECDSA on P-256 with SHA-256, as
//! PKCS#8 and SPKI in PEM, which openssl reads and writes.

mod envelope;
mod keys;

pub use envelope::{Envelope, KeyId, Verified};
pub use keys::{Algorithm, PrivateKey, PublicKey};

/// The payload type of an envelope that signs a run record.
pub const RECORD_TYPE: &str = "application/vnd.model-gate.run+json";
/// The suffix of that envelope's file name, after the full name of the record.
pub const BESIDE: &str = ".dsse";

use crate::code::codes;

codes! {
    NOT_A_KEY = "signing/not-a-key": "A file does not contain a key in PEM that gate can use, or contains one of the wrong type.";
    NOT_AN_ENVELOPE = "signing/not-an-envelope": "A file is not a DSSE envelope.";
}
