//! Words of a command that only one machine understands.

use std::sync::LazyLock;

use regex::Regex;

/// A path in someone's home, wherever it begins in a word: alone, after an option, an `=` or a `:`, within a
/// line for a shell. `data/home/x` is not one.
static HOME: LazyLock<Regex> = LazyLock::new(|| {
    let begins = r#"(?:^|[\s=:;,'"(]|^-[A-Za-z]+)"#;
    let homes =
        r"(?:/(?:home|Users)/[^/\s]|/root(?:/|$|[\s:'\x22])|/mnt/[a-z]/Users/|[A-Za-z]:[\\/]Users[\\/]|~)";
    Regex::new(&format!("{begins}{homes}")).expect("the pattern is a constant")
});

/// The first word that works on one machine only, or was left for a shell to expand.
pub(super) fn bound<'w>(words: &[&'w str]) -> Option<&'w str> {
    words.iter().copied().find(|word| word.contains(['$', '`']) || HOME.is_match(word))
}

#[cfg(test)]
mod tests {
    use super::bound;

    #[test]
    fn what_only_one_machine_has() {
        for word in [
            "/home/ada/train.py",
            "python /home/bob/train.py",
            "-I/home/bob/x",
            "PYTHONPATH=src:/home/bob/lib",
            "--data=/Users/ada/x.csv",
            "/mnt/c/Users/bob/x.csv",
            "C:\\Users\\ada\\x.csv",
            "D:/Users/ada/x.csv",
            "/root",
            "/root/x.csv",
            "~/x.csv",
            "--data=~/x.csv",
            "$DATA",
            "`pwd`/x.csv",
        ] {
            assert_eq!(bound(&["python", word]), Some(word));
        }
        for word in
            ["data/home/x.csv", "/data/x.csv", "a~b", "rooted", "/rootfs/x", "--name=Users", "s3://home/x"]
        {
            assert_eq!(bound(&["python", word]), None, "{word}");
        }
    }
}
