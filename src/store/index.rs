//! Files that the index has but the working tree lacks: a sparse checkout omits files, and a submodule's folder may be
//! empty.

use super::{SPARSE, Selector, refused};
use crate::document::Diagnostic;
use crate::git::{Git, IndexKind, Refusal};

/// Why a selected file can't be read in the working tree, if it was left out on purpose: its state is unknown, rather
/// than deleted.
pub fn left_out(git: &Git, selectors: &[Selector]) -> Result<Option<Box<Diagnostic>>, Box<Diagnostic>> {
    for entry in git.special_index_entries()? {
        let path = &entry.path;
        match entry.kind {
            IndexKind::LeftOut if selectors.iter().any(|selector| selector.names(path)) => {
                let message = format!("`{path}` is committed, but this sparse checkout omits it");
                return Ok(Some(
                    Diagnostic::new(SPARSE, message)
                        .help("check it out: `git sparse-checkout add FOLDER`, or `git sparse-checkout disable`")
                        .boxed(),
                ));
            }
            IndexKind::Submodule if selectors.iter().any(|selector| selector.names_in(path)) => {
                return Ok(Some(refused(path, &Refusal::Submodule)));
            }
            IndexKind::LeftOut | IndexKind::Submodule => {}
        }
    }
    Ok(None)
}
