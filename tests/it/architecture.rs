//! Who may know whom: what ARCHITECTURE.md draws, read from the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::project::here;

/// The rooms from the ground up. A room knows only rooms that stand before it.
const FLOORS: [&str; 31] = [
    "code",
    "secret",
    "atomic",
    "document",
    "signing",
    "git",
    "keys",
    "http",
    "process",
    "store",
    "ledger",
    "run",
    "stats",
    "cases",
    "scorer",
    "verdict",
    "expression",
    "source",
    "recording",
    "tracker",
    "render",
    "github",
    "rule",
    "facts",
    "policy",
    "engine",
    "check",
    "promotion",
    "training",
    "action",
    "cli",
];

/// Rooms that are functions of their inputs.
const PURE: [&str; 15] = [
    "secret",
    "document",
    "signing",
    "run",
    "stats",
    "cases",
    "scorer",
    "verdict",
    "expression",
    "source",
    "recording",
    "rule",
    "policy",
    "engine",
    "render",
];

/// What reaches outside.
const OUTSIDE: [&str; 11] = [
    "std::fs",
    "std::env",
    "std::process",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "tempfile",
];

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The sources of a room: one file, or a folder.
fn sources(room: &str) -> Vec<(String, String)> {
    let src = here().join("src");
    let mut paths = Vec::new();
    if src.join(room).is_dir() {
        files(&src.join(room), &mut paths);
    } else {
        paths.push(src.join(format!("{room}.rs")));
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source");
            // What a test of a room needs is its own affair.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            (path.strip_prefix(here()).expect("inside").display().to_string(), code.join("\n"))
        })
        .filter(|(name, _)| !name.ends_with("tests.rs"))
        .collect()
}

/// The rooms that a text names as `crate::room`.
fn known(code: &str) -> BTreeSet<&str> {
    code.split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next().unwrap_or_default())
        .filter(|name| FLOORS.contains(name))
        .collect()
}

#[test]
fn every_room_is_on_a_floor() {
    let lib = fs::read_to_string(here().join("src/lib.rs")).expect("lib.rs");
    let mut rooms: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(|rest| rest.trim_end_matches(';'))
        .collect();
    let mut floors = FLOORS.to_vec();
    rooms.sort_unstable();
    floors.sort_unstable();
    assert_eq!(rooms, floors, "a new room needs its floor here and in ARCHITECTURE.md");
}

#[test]
fn every_import_points_down() {
    let mut wrong = Vec::new();
    for (floor, room) in FLOORS.iter().enumerate() {
        for (file, code) in sources(room) {
            for name in known(&code) {
                if name != *room && !FLOORS[..floor].contains(&name) {
                    wrong.push(format!("{file} knows `{name}`, which stands above `{room}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_reach_nothing_outside() {
    let mut wrong = Vec::new();
    for room in PURE {
        for (file, code) in sources(room) {
            for word in OUTSIDE {
                if code.contains(word) {
                    wrong.push(format!("{file} uses {word}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_names_every_room() {
    let map = fs::read_to_string(here().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for room in FLOORS {
        assert!(map.contains(&format!("`{room}")), "ARCHITECTURE.md does not name `{room}`");
    }
}

/// What a source imports from its own folder: the first name of each path behind `use super::`.
fn beside(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in code.split("use super::").skip(1) {
        let import = part.split(';').next().unwrap_or_default();
        let mut depth = 0;
        let paths = import.split(|c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == '{' && depth == 1 || c == ',' && depth <= 1
        });
        found
            .extend(paths.filter_map(|path| {
                path.trim_matches([' ', '\n', '}']).split("::").next().map(str::to_owned)
            }));
    }
    found
}

#[test]
fn no_two_files_beside_each_other_import_in_a_ring() {
    assert_eq!(
        beside("use super::{a, b::{c, d}, E};\nuse super::f::G;").into_iter().collect::<Vec<_>>(),
        ["", "E", "a", "b", "f"]
    );
    let mut knows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, code) in FLOORS.iter().flat_map(|room| sources(room)) {
        let (folder, _) = file.rsplit_once('/').expect("a folder");
        // A folder's own file is what the others are parts of.
        if !file.ends_with("/mod.rs") {
            let others = beside(&code).into_iter().map(|name| format!("{folder}/{name}.rs"));
            knows.insert(file.clone(), others.collect());
        }
    }
    for start in knows.keys() {
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        let mut next: Vec<&String> = knows[start].iter().collect();
        while let Some(file) = next.pop() {
            if seen.insert(file) {
                next.extend(knows.get(file).into_iter().flatten());
            }
        }
        assert!(!seen.contains(start), "{start} imports a file that imports it, through one of {seen:?}");
    }
}
