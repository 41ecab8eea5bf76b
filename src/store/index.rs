//! What the working tree lacks although the index has it: a sparse checkout leaves files out, and the folder of a
//! submodule may be empty.

use super::{SPARSE, Selector, refused};
use crate::document::Diagnostic;
use crate::git::{Git, IndexKind, Refusal};

/// Why a file that these name can't be read in the working tree, if it was left out on purpose: it is unknown, and not
/// gone.
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
