//! `gate key`

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::Terminal;
use crate::keys::{new_key, show_key};
use crate::signing::Algorithm;
use crate::verdict::Exit;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key: FILE to promote with, FILE.pub to verify with; neither may exist
    New {
        /// The file of the private key
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The type of key
        #[arg(long = "type", value_enum, default_value_t = Type::Ed25519)]
        sort: Type,
    },
    /// Print the fingerprint and the public key of a file with either key
    Show {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The sorts of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Type {
    /// Small, fast, and most widely used.
    Ed25519,
    /// ECDSA on P-256, for hardware keys and FIPS environments.
    P256,
}

pub(super) fn run(command: &Command, folder: &Path, terminal: &Terminal) -> Exit {
    let result = match command {
        Command::New { file, sort } => {
            let algorithm = match sort {
                Type::Ed25519 => Algorithm::Ed25519,
                Type::P256 => Algorithm::P256,
            };
            new_key(file, folder, algorithm).map(|key| {
                let ignored = key.ignored_by.as_ref().map_or_else(String::new, |file| {
                    format!("ignored: a line in {} keeps the private one out of git\n", file.display())
                });
                format!(
                    "{}  {}\nprivate: {} (keep it in the secret store of your CI, as GATE_SIGNING_KEY; not in git)\npublic:  {}\n{ignored}",
                    match sort {
                        Type::Ed25519 => "ed25519",
                        Type::P256 => "p256",
                    },
                    key.fingerprint,
                    key.private.display(),
                    key.public.display()
                )
            })
        }
        Command::Show { file } => show_key(&folder.join(file))
            .map(|key| format!("{}\nkeyid {}\n{}", key.fingerprint(), key.key_id(), key.to_pem())),
    };
    match result {
        Ok(text) => {
            let printed = Terminal::print(terminal.guarded(), |to| to.write_all(text.as_bytes()));
            if printed.is_ok() { Exit::Pass } else { Exit::NoVerdict }
        }
        Err(problem) => {
            terminal.trouble(&problem);
            Exit::NoVerdict
        }
    }
}
