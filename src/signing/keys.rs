//! Keys: Ed25519 and P-256.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, KeypairBytes,
};
use ed25519_dalek::{Signer as _, SigningKey};
use p256::ecdsa::signature::Verifier as _;
use sha2::{Digest as _, Sha256};

use super::NOT_A_KEY;
use crate::document::{Diagnostic, hex, sha256};

/// The types of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 8032.
    Ed25519,
    /// ECDSA on P-256 with SHA-256; signatures in ASN.1 DER.
    P256,
}

/// A key that signs. Its debug output reveals nothing.
pub struct PrivateKey(Private);

enum Private {
    Ed25519(Box<SigningKey>),
    P256(Box<p256::ecdsa::SigningKey>),
}

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Public);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Public {
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
}

impl PrivateKey {
    /// A new key from 32 random bytes; `None` for the one in 2^32 that are not a valid P-256 key.
    pub fn from_random(algorithm: Algorithm, random: &[u8; 32]) -> Option<Self> {
        Some(Self(match algorithm {
            Algorithm::Ed25519 => Private::Ed25519(Box::new(SigningKey::from_bytes(random))),
            Algorithm::P256 => Private::P256(Box::new(p256::ecdsa::SigningKey::from_slice(random).ok()?)),
        }))
    }

    /// Reads PKCS#8 in PEM, as written by `gate key new` and `openssl genpkey`. `name` is used in errors.
    pub fn from_pem(pem: &str, name: &str) -> Result<Self, Box<Diagnostic>> {
        if let Ok(key) = SigningKey::from_pkcs8_pem(pem) {
            return Ok(Self(Private::Ed25519(Box::new(key))));
        }
        if let Ok(key) = p256::ecdsa::SigningKey::from_pkcs8_pem(pem) {
            return Ok(Self(Private::P256(Box::new(key))));
        }
        let help = if pem.contains("PUBLIC KEY") {
            "this is a public key; sign with the private key"
        } else if pem.contains("ENCRYPTED") {
            "keys with a passphrase are not supported; keep the key in the secret store of your CI"
        } else {
            "make one with `gate key new FILE`, or `openssl genpkey -algorithm ed25519`"
        };
        Err(not_a_key(name, "private", help))
    }

    /// PKCS#8 in PEM.
    pub fn to_pem(&self) -> String {
        let pem = match &self.0 {
            // Without the public key, because OpenSSL before 3.1 can't read keys that include it.
            Private::Ed25519(key) => {
                KeypairBytes { secret_key: key.to_bytes(), public_key: None }.to_pkcs8_pem(LineEnding::LF)
            }
            Private::P256(key) => key.to_pkcs8_pem(LineEnding::LF),
        };
        pem.map(|pem| pem.to_string()).unwrap_or_default()
    }

    /// The key that verifies this key's signatures.
    pub fn public(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Private::Ed25519(key) => Public::Ed25519(Box::new(key.verifying_key())),
            Private::P256(key) => Public::P256(Box::new(*key.verifying_key())),
        })
    }

    /// Signs bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Private::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Private::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public().fingerprint())
    }
}

impl PublicKey {
    /// Reads SPKI in PEM, as written by `gate key new` and `openssl pkey -pubout`. `name` is used in errors.
    pub fn from_pem(pem: &str, name: &str) -> Result<Self, Box<Diagnostic>> {
        if let Ok(key) = ed25519_dalek::VerifyingKey::from_public_key_pem(pem) {
            return Ok(Self(Public::Ed25519(Box::new(key))));
        }
        if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_pem(pem) {
            return Ok(Self(Public::P256(Box::new(key))));
        }
        let help = if pem.contains("PRIVATE KEY") {
            "this is a private key, which does not belong where models are verified; name the public key (`gate key show FILE`)"
        } else {
            "a public key file begins with `-----BEGIN PUBLIC KEY-----` and contains an Ed25519 or P-256 key"
        };
        Err(not_a_key(name, "public", help))
    }

    /// SPKI in PEM.
    pub fn to_pem(&self) -> String {
        match &self.0 {
            Public::Ed25519(key) => key.to_public_key_pem(LineEnding::LF),
            Public::P256(key) => key.to_public_key_pem(LineEnding::LF),
        }
        .unwrap_or_default()
    }

    /// Whether the private key signed these bytes.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Public::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Public::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }

    /// This key's id in signatures: the SHA-256 of its canonical JSON, by which securesystemslib, and so in-toto and
    /// TUF, find a signature's key.
    pub fn key_id(&self) -> String {
        let (kind, scheme, public) = match &self.0 {
            Public::Ed25519(key) => ("ed25519", "ed25519", hex(key.as_bytes())),
            Public::P256(_) => ("ecdsa", "ecdsa-sha2-nistp256", self.to_pem()),
        };
        let json = format!(
            "{{\"keytype\":\"{kind}\",\"keyval\":{{\"public\":\"{public}\"}},\"scheme\":\"{scheme}\"}}"
        );
        sha256(json.as_bytes())
    }

    /// The ids that signatures may use for this key: its id, its fingerprint (as in older versions of gate), or the
    /// SHA-256 of its SPKI in DER.
    pub fn ids(&self) -> [String; 3] {
        let der = match &self.0 {
            Public::Ed25519(key) => key.to_public_key_der(),
            Public::P256(key) => key.to_public_key_der(),
        };
        let der = der.map(|der| sha256(der.as_bytes())).unwrap_or_default();
        [self.key_id(), self.fingerprint(), der]
    }

    /// The fingerprint as shown by OpenSSH: `SHA256:` and the digest of the key in SSH's format.
    pub fn fingerprint(&self) -> String {
        let mut form = Vec::new();
        let mut put = |bytes: &[u8]| {
            form.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            form.extend(bytes);
        };
        match &self.0 {
            Public::Ed25519(key) => {
                put(b"ssh-ed25519");
                put(key.as_bytes());
            }
            Public::P256(key) => {
                put(b"ecdsa-sha2-nistp256");
                put(b"nistp256");
                put(key.to_sec1_point(false).as_bytes());
            }
        }
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&form)))
    }
}

fn not_a_key(name: &str, sort: &str, help: &str) -> Box<Diagnostic> {
    Diagnostic::new(NOT_A_KEY, format!("`{name}` contains no {sort} key that gate can use"))
        .help(help)
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::PublicKey;

    /// The ids that securesystemslib 1.3.1 gives two keys.
    #[test]
    fn a_key_has_the_id_that_securesystemslib_gives_it() {
        for (pem, id) in [
            (
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAFREiS3UvdiUNWGcnDjWa3LAi9zBxRhFz3NigRqanwSI=\n-----END PUBLIC KEY-----\n",
                "f27eb8735cead26ee2e04aabb92e39eb50014b01e529d6383787596f829740a6",
            ),
            (
                "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKgdLFmcbNjIPthS7cY7tHRlQRPAr\n\
                 mZ29gcQ5bvNiMm64wrq+tjUqdzqlny2BWffchrAkhSwcdKnlxhCKcrIG/g==\n-----END PUBLIC KEY-----\n",
                "df979bf7496e0b4aece77f7b60ec11d415124fdaa9311e2cb2444ab7d0873df5",
            ),
        ] {
            assert_eq!(PublicKey::from_pem(pem, "a key").expect("a key").key_id(), id);
        }
    }
}
