//! A `git cat-file --batch` process, kept running for all queries.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};

/// The process, and the pipes to and from it.
#[derive(Debug)]
pub(super) struct Objects {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// Git's answer for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An object.
    Object {
        /// Its id.
        id: String,
        /// `commit`, `tree`, `blob` or `tag`.
        kind: String,
        /// Its bytes.
        data: Vec<u8>,
    },
    /// An object with more bytes than requested; they were not kept.
    TooLarge {
        /// Its id.
        id: String,
        /// `commit`, `tree`, `blob` or `tag`.
        kind: String,
        /// Its size.
        bytes: usize,
    },
    /// No object has that name.
    Missing,
    /// More than one id starts with these digits.
    Ambiguous,
}

/// The type of a folder entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link; its blob contains the target.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// An entry of a folder at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TreeKind,
    /// The id of its object.
    pub id: String,
}

impl Objects {
    pub(super) fn new(mut child: Child) -> Self {
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("the pipe was asked for"));
        Self { child, questions, answers }
    }

    pub(super) fn ask(&mut self, name: &str, most: usize) -> io::Result<Found> {
        let questions = self.questions.as_mut().expect("open until it is dropped");
        writeln!(questions, "{name}")?;
        questions.flush()?;
        let mut header = String::new();
        if self.answers.read_line(&mut header)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ended"));
        }
        let header = header.trim_end_matches('\n');
        if header.ends_with(" missing") {
            return Ok(Found::Missing);
        }
        if header.ends_with(" ambiguous") {
            return Ok(Found::Ambiguous);
        }
        let mut parts = header.rsplitn(3, ' ');
        let (bytes, kind, id) = (parts.next(), parts.next(), parts.next());
        let (Some(bytes), Some(kind), Some(id)) =
            (bytes.and_then(|text| text.parse::<usize>().ok()), kind, id)
        else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("\"{header}\" was not understood"),
            ));
        };
        let (id, kind) = (id.to_owned(), kind.to_owned());
        if bytes > most {
            io::copy(&mut self.answers.by_ref().take(bytes as u64), &mut io::sink())?;
            self.answers.read_exact(&mut [0])?;
            return Ok(Found::TooLarge { id, kind, bytes });
        }
        let mut data = vec![0; bytes];
        self.answers.read_exact(&mut data)?;
        self.answers.read_exact(&mut [0])?;
        Ok(Found::Object { id, kind, data })
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // Closing its input ends the process, and waiting prevents a zombie.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

/// The entries of a raw tree: mode, space, name, zero byte, id.
pub(super) fn parse_tree(data: &[u8], id_bytes: usize) -> Vec<TreeEntry> {
    let mut entries = Vec::new();
    let mut rest = data;
    while let Some(space) = rest.iter().position(|&byte| byte == b' ') {
        let Some(end) = rest[space..].iter().position(|&byte| byte == 0).map(|at| space + at) else { break };
        let Some(id) = rest.get(end + 1..end + 1 + id_bytes) else { break };
        let kind = match &rest[..space] {
            b"40000" | b"040000" => TreeKind::Folder,
            mode if mode.starts_with(b"100") => TreeKind::File,
            b"120000" => TreeKind::Link,
            _ => TreeKind::Submodule,
        };
        entries.push(TreeEntry {
            name: String::from_utf8_lossy(&rest[space + 1..end]).into_owned(),
            kind,
            id: crate::document::hex(id),
        });
        rest = &rest[end + 1 + id_bytes..];
    }
    entries
}
