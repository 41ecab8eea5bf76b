//! A training command: run and recorded, or run again and compared.
//!
//! The facts are gathered here, from files, git, the interpreter and the machine; what is made of them is decided in
//! [`crate::recording`].

mod files;
mod finish;
mod hardware;
mod place;
mod python;
mod record;
mod sources;
mod surroundings;

pub use record::{LINES, Order, Recorded, record, write};

use crate::code::codes;

codes! {
    OUTSIDE = "recording/outside": "A file for the record is not inside the workspace.";
    FILE_MISSING = "recording/file-missing": "A file that was promised for the record is not there.";
    UNREADABLE = "recording/unreadable": "A file for the record can't be read, or is no regular file.";
    NOT_WRITTEN = "recording/not-written": "The command did not write a file that was promised; what is there is older.";
    CHANGED = "recording/changed": "A file that the run depends on changed while the command ran.";
    NOT_STARTED = "recording/not-started": "The command could not be started.";
    CANT_WRITE = "recording/cant-write": "The run record can't be written.";
    NOT_AN_OBJECT = "recording/not-an-object": "A file of parameters or metrics is not an object with keys.";
}
