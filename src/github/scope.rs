//! What distinguishes one gate of a workflow. Jobs of a matrix share the workflow's and the job's name, so this tells
//! their comments apart, and shows a reader which is which.

/// Distinguishes a gate from the others in its workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The folder's path from the top of the repository: empty, or ending in `/`.
    pub folder: String,
    /// The policy, if one was named.
    pub policy: Option<String>,
    /// The stage.
    pub stage: Option<String>,
    /// The user's text to distinguish several gates; may be empty.
    pub key: String,
}

impl Scope {
    /// For a headline: `packages/a · stage production`. Empty for the only gate of a repository.
    pub fn title(&self) -> String {
        let folder = Some(self.folder.trim_end_matches('/').to_owned());
        let stage = self.stage.as_ref().map(|stage| format!("stage {stage}"));
        let parts = [folder, self.policy.clone(), stage, Some(self.key.clone())];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }

    /// For the mark of a comment: unique for each scope. No part contains a newline.
    pub(super) fn identity(&self) -> String {
        let Self { folder, policy, stage, key } = self;
        if folder.is_empty() && policy.is_none() && stage.is_none() {
            return key.clone();
        }
        let of = |part: &Option<String>| part.clone().unwrap_or_default();
        format!("{folder}\n{}\n{}\n{key}", of(policy), of(stage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_names_what_was_given_and_no_two_scopes_are_one() {
        let scope = |folder: &str, policy: Option<&str>, stage: Option<&str>, key: &str| Scope {
            folder: folder.into(),
            policy: policy.map(str::to_owned),
            stage: stage.map(str::to_owned),
            key: key.into(),
        };
        let cases = [
            (scope("", None, None, ""), ""),
            (scope("", None, None, "x"), "x"),
            (scope("packages/x/", None, None, ""), "packages/x"),
            (scope("", Some("x"), None, ""), "x"),
            (scope("", None, Some("x"), ""), "stage x"),
            (scope("a/", Some("b.yaml"), Some("c"), "d"), "a · b.yaml · stage c · d"),
        ];
        let mut identities: Vec<String> = cases.iter().map(|(scope, _)| scope.identity()).collect();
        for (scope, title) in &cases {
            assert_eq!(scope.title(), *title);
        }
        identities.sort();
        identities.dedup();
        assert_eq!(identities.len(), cases.len());
    }
}
