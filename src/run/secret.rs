//! What no output may show, though a record holds it: passwords in addresses.

use std::borrow::Cow;

/// Text without the names and passwords that stand in addresses in it: `https://ada:hunter2@host/x` becomes
/// `https://host/x`, and so does `postgresql:ada:hunter2@host/db`, which some libraries write without `//`.
pub fn without_userinfo(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (scheme, behind) = rest.split_at(at + 3);
        // The part between the slashes and the next one, of which the last `@` ends who asks.
        let end = behind
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>'))
            .unwrap_or(behind.len());
        let (authority, behind) = behind.split_at(end);
        plain.push_str(scheme);
        plain.push_str(authority.rsplit('@').next().unwrap_or_default());
        rest = behind;
    }
    plain.push_str(rest);
    without_slashes(plain)
}

/// The same for `scheme:name:password@host`, where the text is nothing else.
fn without_slashes(text: String) -> Cow<'static, str> {
    let plain =
        |part: &str| !part.is_empty() && !part.contains(['/', '@']) && !part.contains(char::is_whitespace);
    let parts = text.split_once(':').and_then(|(scheme, rest)| {
        let (who, host) = rest.split_once('@')?;
        let (name, password) = who.split_once(':')?;
        let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        (is_scheme && plain(scheme) && plain(name) && plain(password)).then_some((scheme, host))
    });
    match parts {
        Some((scheme, host)) => Cow::Owned(format!("{scheme}:{host}")),
        None => Cow::Owned(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_taken_out_of_addresses() {
        for (text, shown) in [
            ("sftp://ada:hunter2@host/x", "sftp://host/x"),
            ("https://x-access-token:ghs_1@github.com/a/b.git", "https://github.com/a/b.git"),
            ("https://ada:hun@ter2@host:8080?x=a@b", "https://host:8080?x=a@b"),
            ("postgresql:ada:hunter4@h/db", "postgresql:h/db"),
            ("read https://ada:p@h/x and ftp://b:q@g", "read https://h/x and ftp://g"),
            ("git@github.com:a/b.git", "git@github.com:a/b.git"),
            ("ada@example.org", "ada@example.org"),
            ("s3://bucket/a@b.csv", "s3://bucket/a@b.csv"),
            ("models:/churn@champion", "models:/churn@champion"),
            ("dvc:a:b", "dvc:a:b"),
        ] {
            assert_eq!(without_userinfo(text), shown, "{text}");
        }
    }
}
