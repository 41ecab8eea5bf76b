//! The tags of a repository.

use super::{Git, refused};
use crate::document::Problem;

impl Git {
    /// The names of all tags that begin with some text, unordered.
    pub fn tags(&self, prefix: &str) -> Result<Vec<String>, Box<Problem>> {
        let output = self.run(&["for-each-ref", "--format=%(refname:strip=2)", "refs/tags/"])?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter(|name| name.starts_with(prefix)).map(str::to_owned).collect())
    }
}
