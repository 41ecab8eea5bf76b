//! The packs that are shipped inside the program.

/// A policy that others extend by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pack {
    /// The name that a policy writes, such as `gate:checklist`.
    pub name: &'static str,
    /// Its YAML.
    pub text: &'static str,
}

/// Every pack, from the least strict to the strictest.
pub const PACKS: [Pack; 3] = [
    Pack { name: "gate:checklist", text: include_str!("../../policies/checklist.yaml") },
    Pack { name: "gate:pull-request", text: include_str!("../../policies/pull-request.yaml") },
    Pack { name: "gate:production", text: include_str!("../../policies/production.yaml") },
];

/// The pack of that name.
pub(super) fn named(name: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.name == name)
}
