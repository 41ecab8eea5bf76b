//! Hides secrets: values that are named like secrets, the non-location parts of URLs, and texts that look
//! like tokens.

mod name;
mod shape;

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

pub use name::is_secret_name;

/// The start of every masked value.
pub const MASKED: &str = "***";

/// How many digits of a digest follow [`MASKED`].
pub const DIGITS: usize = 8;

/// The replacement for a secret: equal secrets stay equal, and the start of a digest does not reveal a secret that
/// could not be guessed anyway.
pub fn mask(secret: &str) -> String {
    if secret.is_empty() || secret.starts_with(MASKED) {
        return secret.to_owned();
    }
    let digest = Sha256::digest(secret.as_bytes());
    format!("{MASKED}{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
}

/// A named value: masked if the name is that of a secret, otherwise with the secrets in it masked.
pub fn masked_value<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    if is_secret_name(name) && !says_nothing(value) { mask(value).into() } else { masked(value) }
}

/// Whether a text is a number or a short word, and so has no part that could be a secret.
fn is_plain(text: &str) -> bool {
    let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_';
    text.bytes().all(is_number) || text.len() < shape::SHORTEST && text.bytes().all(is_word)
}

/// Query parameters that say which version of something is meant.
const VERSIONS: [&str; 6] = ["versionid", "version", "generation", "revision", "rev", "ref"];

/// Whether a value reveals nothing, whatever its name.
pub fn says_nothing(value: &str) -> bool {
    value.is_empty()
        || value.starts_with(MASKED)
        || ["true", "false", "none", "null"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Masks the secrets in a text: those in URLs, and the values of `name=value`, `name: value` and `--name value` if the
/// name is that of a secret.
pub fn masked(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return text.into();
    }
    match shape::without_tokens(text) {
        Some(plain) => by_place(&plain).into_owned().into(),
        None => by_place(text),
    }
}

/// Masks secrets that are recognised by their position.
fn by_place(text: &str) -> Cow<'_, str> {
    if !text.contains([':', '=', '-']) {
        return text.into();
    }
    let addresses = without_addresses(text);
    if let Some(masked) = without_pairs(&addresses) {
        return masked.into();
    }
    match without_slashes(&addresses) {
        Some(plain) => plain.into(),
        None => addresses,
    }
}

/// `postgresql:ada:hunter2@host/db`, which some libraries write without `//`, if that is the whole text.
fn without_slashes(text: &str) -> Option<String> {
    let plain =
        |part: &str| !part.is_empty() && !part.contains(['/', '@']) && !part.contains(char::is_whitespace);
    let (scheme, rest) = text.split_once(':')?;
    let (who, host) = rest.split_once('@')?;
    let (name, password) = who.split_once(':')?;
    let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (is_scheme && plain(scheme) && plain(name) && plain(password)).then(|| format!("{scheme}:{host}"))
}

fn without_addresses(text: &str) -> Cow<'_, str> {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        kept.push_str(before);
        let end = behind.find(|c: char| c.is_whitespace() || "\"'<>,;`".contains(c)).unwrap_or(behind.len());
        kept.push_str(&address(&behind[..end]));
        rest = &behind[end..];
    }
    if kept.is_empty() {
        return text.into();
    }
    kept.push_str(rest);
    kept.into()
}

/// The part of a URL after `://`, without name and password, and with the values of its query masked, because
/// signatures are there. Version parameters are kept: two versions are not the same.
fn address(rest: &str) -> String {
    let (place, query) =
        rest.split_once(['?', '#']).map_or((rest, None), |(place, query)| (place, Some(query)));
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let host = host
        .rsplit_once('@')
        .map_or(host, |(user, bare)| if user == "git" || user.starts_with(MASKED) { host } else { bare });
    let Some(query) = query else { return format!("{host}{path}") };
    let parts = query.split(['&', '#']).map(|part| match part.split_once('=') {
        Some((key, _)) if VERSIONS.contains(&key.to_ascii_lowercase().as_str()) => part.to_owned(),
        Some((key, value)) => format!("{key}={}", mask(value)),
        None => mask(part),
    });
    format!("{host}{path}?{}", parts.collect::<Vec<_>>().join("&"))
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c)
}

/// `None` if nothing was masked.
fn without_pairs(text: &str) -> Option<String> {
    if !name::may_name_a_secret(text) {
        return None;
    }
    let mut kept = String::new();
    let mut rest = text;
    let mut any = false;
    while let Some(start) = rest.find(is_of_name) {
        let (before, from_name) = rest.split_at(start);
        let (name, behind) =
            from_name.split_at(from_name.find(|c: char| !is_of_name(c)).unwrap_or(from_name.len()));
        kept.push_str(before);
        kept.push_str(name);
        rest = behind;
        if !is_secret_name(name) {
            continue;
        }
        let Some((between, value)) = value_behind(name, behind).filter(|(_, value)| !says_nothing(value))
        else {
            continue;
        };
        kept.push_str(&behind[..between]);
        kept.push_str(&mask(value));
        rest = &behind[between + value.len()..];
        any = true;
    }
    kept.push_str(rest);
    any.then_some(kept)
}

/// The value after a name, and the number of bytes in between.
fn value_behind<'t>(name: &str, behind: &'t str) -> Option<(usize, &'t str)> {
    let blank = |text: &'t str| text.trim_start_matches([' ', '\t']);
    let unquoted = behind.strip_prefix(['"', '\'']).unwrap_or(behind);
    let value = match blank(unquoted).strip_prefix(['=', ':']) {
        Some(value) => blank(value),
        // An option whose value is the next word.
        None if name.starts_with('-') && behind.starts_with(' ') && !blank(behind).starts_with('-') => {
            blank(behind)
        }
        None => return None,
    };
    let quote = value.chars().next().filter(|c| "\"'".contains(*c));
    let value = quote.and_then(|quote| value.strip_prefix(quote)).unwrap_or(value);
    let end = match quote {
        Some(quote) => value.find(quote),
        None => value.find(|c: char| c.is_whitespace() || ",;&\"')]}".contains(c)),
    };
    Some((behind.len() - value.len(), &value[..end.unwrap_or(value.len())]))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_text_loses_what_is_secret_and_nothing_else() {
        for (text, shown) in [
            ("https://x-access-token:ghp_A@github.com/a/b.git", "https://github.com/a/b.git"),
            ("ssh://git@github.com/a/b.git", "ssh://git@github.com/a/b.git"),
            (
                "s3://bucket/a.csv?versionId=7&X-Amz-Signature=ab",
                "s3://bucket/a.csv?versionId=7&X-Amz-Signature=***",
            ),
            ("see https://u:p@h/x, then http://h/y", "see https://h/x, then http://h/y"),
            ("pretrained=x,token=hf_A,dtype=float", "pretrained=x,token=***,dtype=float"),
            ("{'api_key': 'sk-A', 'top_k': 5}", "{'api_key': '***', 'top_k': 5}"),
            ("python train.py --token A --lr 0.1", "python train.py --token *** --lr 0.1"),
            ("tokenizer=bert, use_auth_token=True", "tokenizer=bert, use_auth_token=True"),
            ("sha256:9f86d081", "sha256:9f86d081"),
            ("postgresql:ada:hunter4@h/db", "postgresql:h/db"),
            ("https://ada:hun@ter2@host:8080?x=a@b", "https://host:8080?x=***"),
            ("git@github.com:a/b.git", "git@github.com:a/b.git"),
            ("s3://bucket/a@b.csv", "s3://bucket/a@b.csv"),
            ("models:/churn@champion", "models:/churn@champion"),
            ("dvc:.@churn@v1.0.0", "dvc:.@churn@v1.0.0"),
            ("AccountName=ada;AccountKey=c2VjcmV0;Endpoint=x", "AccountName=ada;AccountKey=***;Endpoint=x"),
            ("Server=h;Password=hunter2;Port=1", "Server=h;Password=***;Port=1"),
            ("git push ghp_0123456789abcdefghijABCDEFGHIJ012345", "git push ***"),
            ("loaded with hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", "loaded with ***"),
            ("id AKIAIOSFODNN7EXAMPLE, region eu", "id ***, region eu"),
            ("hf_transfer and sk-learn and ghp_x", "hf_transfer and sk-learn and ghp_x"),
            ("models/hf_bert_base_uncased_finetuned", "models/hf_bert_base_uncased_finetuned"),
        ] {
            assert_eq!(without_digests(&masked(text)), shown);
        }
    }

    /// The masks of secrets, without the digits that distinguish them.
    fn without_digests(text: &str) -> String {
        let mut parts = text.split("***");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |shown, part| shown + "***" + part.get(8..).unwrap_or_default())
    }

    #[test]
    fn two_secrets_can_still_be_compared_and_a_masked_one_stays_as_it_is() {
        let [one, other] = ["hunter2", "hunter3"].map(super::mask);
        assert_eq!(one, super::mask("hunter2"));
        assert!(one != other && one.len() == 11 && !one.contains("hunter"));
        assert_eq!(super::mask(&one), one);
        assert_eq!(masked(&format!("--token {one}")), format!("--token {one}"));
    }
}
