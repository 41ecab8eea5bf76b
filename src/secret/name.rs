//! Recognises secrets by name, so that no record keeps them.

/// Parts that make a name secret at any position.
const ANYWHERE: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "authorization",
    "bearer",
    "apikey",
    "accesskey",
    "secretkey",
    "jwt",
];
/// Parts that make a name secret at the end.
const LAST: [&str; 9] =
    ["token", "key", "auth", "pass", "authtoken", "accesstoken", "cookie", "cookies", "sig"];
/// Parts before the last that make it a count, a choice or a switch: `--pad-token`, `--sort-key`, `--use-auth`.
const HARMLESS: [&str; 56] = [
    "bos",
    "cache",
    "class",
    "cls",
    "column",
    "data",
    "disable",
    "enable",
    "end",
    "eos",
    "feature",
    "foreign",
    "group",
    "has",
    "id",
    "image",
    "index",
    "input",
    "is",
    "join",
    "label",
    "mask",
    "max",
    "metric",
    "min",
    "multi",
    "n",
    "need",
    "new",
    "no",
    "num",
    "output",
    "pad",
    "partition",
    "per",
    "primary",
    "prompt",
    "public",
    "require",
    "sep",
    "single",
    "skip",
    "sort",
    "special",
    "start",
    "stop",
    "target",
    "text",
    "trigger",
    "unk",
    "use",
    "value",
    "with",
    "without",
    "first",
    "second",
];

/// Each word above contains one of these: a text without them names no secret.
const STEMS: [&[u8]; 11] =
    [b"pass", b"pwd", b"secret", b"cred", b"auth", b"bearer", b"key", b"jwt", b"token", b"cookie", b"sig"];

/// Whether a text may contain the name of a secret. Most don't, so this is all they cost.
pub(super) fn may_name_a_secret(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| match byte.to_ascii_lowercase() {
        b'p' | b's' | b'c' | b'a' | b'b' | b'k' | b'j' | b't' => {
            let rest = &bytes[at..];
            let begins =
                |stem: &[u8]| rest.get(..stem.len()).is_some_and(|part| part.eq_ignore_ascii_case(stem));
            STEMS.iter().any(|stem| begins(stem))
        }
        _ => false,
    })
}

/// Whether an option, variable or parameter with that name contains a secret: `--hf-token`, `AWS_ACCESS_KEY_ID`, but
/// not `--max-tokens` or `--tokenizer`. Names are split into parts at `-`, `_`, `.` and capitals.
pub fn is_secret_name(name: &str) -> bool {
    if !may_name_a_secret(name) {
        return false;
    }
    let lower = divided(name).to_ascii_lowercase();
    let mut parts: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    if parts.first().is_some_and(|first| matches!(*first, "no" | "use" | "with" | "without" | "skip")) {
        return false;
    }
    // `PGPASSWORD` can't be split into parts.
    if parts
        .iter()
        .any(|part| ANYWHERE.contains(part) || part.ends_with("password") || part.ends_with("secret"))
    {
        return true;
    }
    // The id of a key does not belong in a record either.
    if let [.., before, "id"] = parts.as_slice()
        && *before == "key"
    {
        parts.pop();
    }
    match parts.as_slice() {
        [.., before, last] => LAST.contains(last) && !HARMLESS.contains(before),
        // A column may be named `key`; an option with that name takes one.
        ["key"] => name.starts_with('-'),
        [last] => LAST.contains(last),
        [] => false,
    }
}

/// Splits `AccountKey` into `Account_Key`; a word all in capitals is one part.
fn divided(name: &str) -> String {
    let mut divided = String::with_capacity(name.len() + 4);
    let mut lower_before = false;
    for c in name.chars() {
        if lower_before && c.is_ascii_uppercase() {
            divided.push('_');
        }
        lower_before = c.is_ascii_lowercase();
        divided.push(c);
    }
    divided
}

#[cfg(test)]
mod tests {
    use super::is_secret_name;

    #[test]
    fn every_word_has_a_stem() {
        for word in super::ANYWHERE.iter().chain(&super::LAST) {
            assert!(super::may_name_a_secret(word), "{word}");
        }
    }

    #[test]
    fn names_of_secrets() {
        for name in [
            "--token",
            "--hf_token",
            "--api-key",
            "WANDB_API_KEY",
            "--wandb-key",
            "--access-key",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "--pwd",
            "--pass",
            "--db-pass",
            "--auth",
            "--key",
            "--bearer",
            "PGPASSWORD",
            "Authorization",
            "--client-secret",
            "credentials",
            "params.auth_token",
            "apikey",
            "apiKey",
            "token",
            "db.password",
            "AccountKey",
            "SharedAccessKey",
            "accessToken",
            "--cookie",
            "--jwt",
            "Password",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "--tokenizer",
            "--max-tokens",
            "--max-token",
            "--pad-token",
            "--tokens",
            "--sort-key",
            "--label_key",
            "--use-auth-token",
            "--no-password",
            "--passes",
            "--keys",
            "--author",
            "--keyword",
            "--bypass",
            "seed",
            "key",
            "monkey",
            "eos_token_id",
            "sortKey",
            "maxTokens",
            "",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
