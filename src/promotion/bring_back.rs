//! How to restore a promoted file that is no longer at its path: the command that writes it.

use crate::check::Workspace;
use crate::document::sha256;
use crate::facts::lfs_pointer;
use crate::git::{Commit, Found, Git, Resolved};
use crate::ledger::Statement;

/// Maximum size in bytes of a committed model that is read.
const MAX_BYTES: usize = 1 << 30;

/// The command that restores a promoted file from a commit that has it; otherwise advice in words.
pub(super) fn bring_back(statement: &Statement, name: &str, sha256: &str, workspace: &Workspace) -> String {
    let file = shown(name, workspace);
    let command = workspace.git().ok().and_then(|git| from_git(git, statement, name, sha256, &file));
    match command {
        Some(command) => format!("restore it and try again: {command}; or name a copy of it: --artifact FILE"),
        None => "no commit that the promotion names has the file: fetch it from where models are kept, and name it: \
                 --artifact FILE"
            .to_owned(),
    }
}

/// The path of a workspace file, relative to where the command was started.
fn shown(name: &str, workspace: &Workspace) -> String {
    let full = workspace.root().join(name);
    match full.strip_prefix(workspace.folder()) {
        Ok(path) => path.display().to_string(),
        Err(_) => full.display().to_string(),
    }
}

fn from_git(git: &Git, statement: &Statement, name: &str, sha256: &str, file: &str) -> Option<String> {
    let of_run =
        statement.own_text(&["run", "uri"]).and_then(|uri| uri.strip_prefix("git:")?.split(':').next());
    let of_code = statement.own_text(&["code", "gitCommit"]);
    for id in of_run.into_iter().chain(of_code) {
        let Ok(Found::Object { id, .. }) = git.commit_by_id(id) else { continue };
        let commit = Commit { id, time: None };
        let id = crate::git::short(&commit.id);
        if let Ok(Resolved::File { id: blob, path }) = git.look_up(&commit, name)
            && let Ok(Found::Object { data, .. }) = git.blob(&blob, MAX_BYTES)
        {
            if self::sha256(&data) == sha256 {
                return Some(format!("git show {id}:{path} > {file}"));
            }
            if lfs_pointer(&data).is_some_and(|pointer| pointer.sha256 == sha256) {
                return Some(format!("git show {id}:{path} | git lfs smudge > {file}"));
            }
        }
        let has = |path: &str| matches!(git.look_up(&commit, path), Ok(Resolved::File { .. }));
        if has(&format!("{name}.dvc")) {
            return Some(format!("dvc get . {file} --rev {id} --out {file} --force"));
        }
        if has("dvc.lock") {
            return Some(format!("git checkout {id} -- dvc.lock && dvc checkout {file}"));
        }
    }
    None
}
