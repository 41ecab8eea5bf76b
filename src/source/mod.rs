//! From bytes to runs, one file for each format that a tracker writes.
//!
//! A reader is pure: it is given a document's name and bytes, and gives runs, or what is wrong with them. Where the
//! bytes come from is the business of [`crate::store`].

mod plain;

pub(crate) use plain::most;
pub use plain::{BadRecord, read};
