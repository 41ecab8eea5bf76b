//! Reads keys from files and the environment.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::atomic;
use crate::code::codes;
use crate::document::Diagnostic;
use crate::git::Git;
use crate::signing::{Algorithm, NOT_A_KEY, PrivateKey, PublicKey};

codes! {
    KEY_UNREADABLE = "key/unreadable": "A key file or a trust file can't be read.";
    KEY_EXISTS = "key/exists": "A new key would overwrite an existing file.";
    NOT_IGNORED = "key/not-ignored": "A new private key would be inside a git work tree, and git would not ignore it.";
    NO_KEY = "key/none": "A signature was requested, but no key was given.";
}

/// Maximum size in bytes of a key file.
const MOST: u64 = 64 << 10;

/// The variable with a key, or with the path of one.
pub const VARIABLE: &str = "GATE_SIGNING_KEY";

/// A newly created key.
#[derive(Debug)]
pub struct NewKey {
    /// The file of the private key.
    pub private: PathBuf,
    /// The file of the public key.
    pub public: PathBuf,
    /// The fingerprint of the key pair.
    pub fingerprint: String,
    /// The `.gitignore` that keeps the private key out of git, if a line was added to it.
    pub ignored_by: Option<PathBuf>,
}

/// Creates a key pair at a path below `folder`. Neither file may exist; the private one is readable only by its owner.
pub fn new_key(file: &Path, folder: &Path, algorithm: Algorithm) -> Result<NewKey, Box<Diagnostic>> {
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    let public = PathBuf::from(name);
    let exists = |path: &Path| {
        let message = format!("`{}` exists, and gate never overwrites a key", path.display());
        Diagnostic::new(KEY_EXISTS, message)
            .help("name another file; keep an old public key as long as its promotions are in use")
            .boxed()
    };
    if let Some(taken) = [file, &public].into_iter().find(|path| folder.join(path).symlink_metadata().is_ok())
    {
        return Err(exists(taken));
    }
    let key = loop {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| {
            Diagnostic::new(KEY_UNREADABLE, format!("the system provides no random bytes: {error}")).boxed()
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
    let ignored_by = keep_out_of_git(&folder.join(file))?;
    write(file, 0o600, &key.to_pem())?;
    write(&public, 0o644, &key.public().to_pem())?;
    Ok(NewKey { private: file.to_owned(), public, fingerprint: key.public().fingerprint(), ignored_by })
}

/// In a git work tree, a private key is one `git add` away from being published, so this adds a line to the
/// `.gitignore` next to it, unless it is ignored already.
fn keep_out_of_git(file: &Path) -> Result<Option<PathBuf>, Box<Diagnostic>> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return Ok(None);
    };
    let Ok(git) = Git::open(folder) else { return Ok(None) };
    // Git compares paths as on disk, without links.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    if git.is_bare() || git.ignored_by(name).is_some() {
        return Ok(None);
    }
    let ignore = folder.join(".gitignore");
    let refuse = |why: String| {
        let message =
            format!("`{}` would be in a git work tree without being ignored: {why}", file.display());
        Diagnostic::new(NOT_IGNORED, message).help("make the key outside of the repository").boxed()
    };
    if name.contains(['\n', '\r']) {
        return Err(refuse("its name can't be a line of .gitignore".into()));
    }
    let mut text = match std::fs::read_to_string(&ignore) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(refuse(format!("`{}` can't be read: {error}", ignore.display()))),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    // A backslash escapes characters that are special in a pattern.
    let pattern: String =
        name.chars().flat_map(|c| "\\*?[] ".contains(c).then_some('\\').into_iter().chain([c])).collect();
    text.push_str(&format!("/{pattern}\n"));
    atomic::write(&ignore, |to| to.write_all(text.as_bytes()))
        .map_err(|error| refuse(format!("`{}` can't be written: {error}", ignore.display())))?;
    if git.ignored_by(name).is_some() {
        return Ok(Some(ignore));
    }
    Err(refuse(format!("a line in `{}` does not make git ignore it", ignore.display())))
}

/// The public key of a file that contains either key.
pub fn show_key(path: &Path) -> Result<PublicKey, Box<Diagnostic>> {
    let label = path.display().to_string();
    let pem = read(path)?;
    if pem.contains("PRIVATE KEY") {
        Ok(PrivateKey::from_pem(&pem, &label)?.public())
    } else {
        PublicKey::from_pem(&pem, &label)
    }
}

/// The keys in the files, else the one in the environment.
pub fn signing_keys(files: &[PathBuf], folder: &Path) -> Result<Vec<PrivateKey>, Box<Diagnostic>> {
    if files.is_empty() {
        return Ok(from_environment(folder)?.into_iter().collect());
    }
    let mut keys: Vec<PrivateKey> = Vec::new();
    for file in files {
        let key = PrivateKey::from_pem(&read(&folder.join(file))?, &file.display().to_string())?;
        // A key signs once, even if it was given several times.
        if keys.iter().all(|known| known.public() != key.public()) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// The key in the environment: PEM, PEM as base64 or on one line, the base64 inside PEM, or a path. No message shows
/// the value, since a mangled key looks like a path.
fn from_environment(folder: &Path) -> Result<Option<PrivateKey>, Box<Diagnostic>> {
    let Some(value) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let text = value.to_string_lossy();
    let text = text.trim();
    if text.is_empty() {
        let message = format!("{VARIABLE} is set but empty, so nothing would be signed");
        let help = "a secret that is not set, or not available to this job, arrives as an empty variable; \
         to sign nothing, unset it";
        return Err(Diagnostic::new(NO_KEY, message).help(help).boxed());
    }
    if let Some(pem) = pem_of(text) {
        return PrivateKey::from_pem(&pem, VARIABLE).map(Some);
    }
    let path = folder.join(text);
    let is_file = !text.contains('\n') && std::fs::metadata(&path).is_ok();
    let neither = || {
        let message =
            format!("{VARIABLE} contains neither a private key in PEM nor the path of an existing file");
        let help = "store the text of the key file as it is, from `-----BEGIN PRIVATE KEY-----` on, or its base64 on one line; \
                    the value is not shown here";
        Diagnostic::new(NOT_A_KEY, message).help(help).boxed()
    };
    if !is_file {
        return Err(neither());
    }
    let shown = format!("the file that {VARIABLE} names");
    match read(&path) {
        Ok(pem) => PrivateKey::from_pem(&pem, &shown).map(Some),
        Err(_) => Err(neither()),
    }
}

/// Restores PEM from a text: as is, with its newlines escaped as `\n` or lost, as base64, or without its first and last
/// lines. `None` if it is not PEM.
fn pem_of(text: &str) -> Option<String> {
    const BEGIN: &str = "-----BEGIN";
    if text.contains(BEGIN) {
        let lines = text.replace("\\n", "\n").replace("\r\n", "\n");
        if lines.contains('\n') {
            return Some(lines);
        }
        // A secret store may turn newlines into blanks.
        let mut parts = lines.splitn(5, "-----");
        let (_, begin, body, end) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        return Some(armoured(begin, &body.split_whitespace().collect::<String>(), end));
    }
    let packed: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(&packed).ok()?;
    match String::from_utf8(bytes) {
        Ok(pem) if pem.contains(BEGIN) => Some(pem),
        // The shortest private key has 48 bytes, and starts with an ASN.1 sequence.
        _ if packed.len() >= 64 && packed.starts_with('M') => {
            Some(armoured("BEGIN PRIVATE KEY", &packed, "END PRIVATE KEY"))
        }
        _ => None,
    }
}

fn armoured(begin: &str, body: &str, end: &str) -> String {
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----{begin}-----\n{}\n-----{end}-----\n", lines.join("\n"))
}

/// The public key in a file.
pub fn public_key(path: &Path, label: &str) -> Result<PublicKey, Box<Diagnostic>> {
    PublicKey::from_pem(&read(path)?, label)
}

/// A small text file, or a pipe from the shell: `<(…)`.
pub fn read(path: &Path) -> Result<String, Box<Diagnostic>> {
    use std::io::Read as _;
    let failed = |why: String| {
        Diagnostic::new(KEY_UNREADABLE, format!("`{}` can't be read: {why}", path.display())).boxed()
    };
    let handed_over = ["/dev/fd", "/proc/self/fd", "/dev/stdin"].iter().any(|from| path.starts_with(from));
    let meta = std::fs::metadata(path).map_err(|error| {
        let problem = failed(error.to_string());
        Box::new(problem.help("check the path; `gate key new FILE` makes a key"))
    })?;
    let whole = |bytes: u64| bytes <= MOST;
    if !(meta.is_file() && whole(meta.len()) || handed_over && !meta.is_dir()) {
        return Err(failed(format!("it is not a regular file of at most {MOST} bytes")));
    }
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST + 1).read_to_string(&mut text));
    read.map_err(|error| failed(error.to_string()))?;
    if !whole(text.len() as u64) {
        return Err(failed(format!("it has more than {MOST} bytes")));
    }
    Ok(text)
}
