//! Keys in files and in the environment.

use std::path::{Path, PathBuf};

use crate::atomic;
use crate::code::codes;
use crate::document::Diagnostic;
use crate::signing::{Algorithm, NOT_A_KEY, PrivateKey, PublicKey};

codes! {
    KEY_UNREADABLE = "key/unreadable": "A file of a key or of trust can't be read.";
    KEY_EXISTS = "key/exists": "A new key would be written over a file that exists.";
    NO_KEY = "key/none": "Something is to be signed, and no key was given.";
}

/// Bytes of a file of a key.
const MOST: u64 = 64 << 10;

/// The variable that holds a key, or the path of one.
pub const VARIABLE: &str = "GATE_SIGNING_KEY";

/// A key that was made.
#[derive(Debug)]
pub struct NewKey {
    /// The file of the private key.
    pub private: PathBuf,
    /// The file of the public key.
    pub public: PathBuf,
    /// The fingerprint of both.
    pub fingerprint: String,
}

/// Makes a key, at a path below `folder`. Neither file may exist; only its owner may read the private one.
pub fn new_key(file: &Path, folder: &Path, algorithm: Algorithm) -> Result<NewKey, Box<Diagnostic>> {
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    let public = PathBuf::from(name);
    let exists = |path: &Path| {
        let message = format!("`{}` exists, and a key is never written over", path.display());
        Diagnostic::new(KEY_EXISTS, message)
            .help(
                "name another file; a key that is no longer used stays listed until its promotions are gone",
            )
            .boxed()
    };
    if let Some(taken) = [file, &public].into_iter().find(|path| folder.join(path).symlink_metadata().is_ok())
    {
        return Err(exists(taken));
    }
    let key = loop {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| {
            Diagnostic::new(KEY_UNREADABLE, format!("the system gives no random bytes: {error}")).boxed()
        })?;
        if let Some(key) = PrivateKey::from_random(algorithm, &random) {
            break key;
        }
    };
    let write = |path: &Path, mode: u32, text: &str| match atomic::create(&folder.join(path), mode, |to| {
        to.write_all(text.as_bytes())
    }) {
        Ok(true) => Ok(()),
        Ok(false) => Err(exists(path)),
        Err(error) => {
            Err(Diagnostic::new(KEY_UNREADABLE, format!("`{}` can't be written: {error}", path.display()))
                .boxed())
        }
    };
    write(file, 0o600, &key.to_pem())?;
    write(&public, 0o644, &key.public().to_pem())?;
    Ok(NewKey { private: file.to_owned(), public, fingerprint: key.public().fingerprint() })
}

/// The public key of a file that holds either of the two.
pub fn show_key(path: &Path) -> Result<PublicKey, Box<Diagnostic>> {
    let label = path.display().to_string();
    let pem = read(path)?;
    if pem.contains("PRIVATE KEY") {
        Ok(PrivateKey::from_pem(&pem, &label)?.public())
    } else {
        PublicKey::from_pem(&pem, &label)
    }
}

/// The keys of files, else the one of the environment.
pub fn signing_keys(files: &[PathBuf], folder: &Path) -> Result<Vec<PrivateKey>, Box<Diagnostic>> {
    if files.is_empty() {
        let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
            return Ok(Vec::new());
        };
        let text = value.to_string_lossy();
        let (pem, label) = if text.contains("-----BEGIN") {
            // The value itself must never be shown.
            (text.into_owned(), VARIABLE.to_owned())
        } else if text.contains('\n') || text.len() > 4_096 {
            return Err(Diagnostic::new(
                NOT_A_KEY,
                format!("{VARIABLE} holds neither a key in PEM nor a path"),
            )
            .boxed());
        } else {
            (read(&folder.join(&*text))?, text.into_owned())
        };
        return Ok(vec![PrivateKey::from_pem(&pem, &label)?]);
    }
    let mut keys: Vec<PrivateKey> = Vec::new();
    for file in files {
        let key = PrivateKey::from_pem(&read(&folder.join(file))?, &file.display().to_string())?;
        // A key signs once, however often it was named.
        if keys.iter().all(|known| known.public() != key.public()) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// A public key of a file.
pub fn public_key(path: &Path, label: &str) -> Result<PublicKey, Box<Diagnostic>> {
    PublicKey::from_pem(&read(path)?, label)
}

/// A small file of text, or what a shell hands over as one: `<(…)`.
pub fn read(path: &Path) -> Result<String, Box<Diagnostic>> {
    use std::io::Read as _;
    let failed = |why: String| {
        Diagnostic::new(KEY_UNREADABLE, format!("`{}` can't be read: {why}", path.display())).boxed()
    };
    let handed_over = ["/dev/fd", "/proc/self/fd", "/dev/stdin"].iter().any(|from| path.starts_with(from));
    let meta = std::fs::metadata(path).map_err(|error| {
        let problem = failed(error.to_string());
        Box::new(problem.help("look at the path; `gate key new FILE` makes a key"))
    })?;
    let whole = |bytes: u64| bytes <= MOST;
    if !(meta.is_file() && whole(meta.len()) || handed_over && !meta.is_dir()) {
        return Err(failed(format!("it is no regular file of at most {MOST} bytes")));
    }
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST + 1).read_to_string(&mut text));
    read.map_err(|error| failed(error.to_string()))?;
    if !whole(text.len() as u64) {
        return Err(failed(format!("it has more than {MOST} bytes")));
    }
    Ok(text)
}
