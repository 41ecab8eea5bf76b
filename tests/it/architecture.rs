//! Which module may import which: ARCHITECTURE.md draws it, and the sources are checked against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::project::here;

/// The modules from the bottom up. A module imports only modules before it.
const LAYERS: [&str; 35] = [
    "code",
    "secret",
    "atomic",
    "parallel",
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
    "aggregates",
    "sql",
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
    "init",
    "action",
    "cli",
];

/// Modules that only compute from their inputs.
const PURE: [&str; 17] = [
    "secret",
    "document",
    "signing",
    "run",
    "stats",
    "cases",
    "scorer",
    "aggregates",
    "sql",
    "verdict",
    "expression",
    "source",
    "recording",
    "rule",
    "policy",
    "engine",
    "render",
];

/// Names that code needs for I/O or to read the clock.
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

/// The sources of a module: one file, or a folder.
fn sources(module: &str) -> Vec<(String, String)> {
    let src = here().join("src");
    let mut paths = Vec::new();
    if src.join(module).is_dir() {
        files(&src.join(module), &mut paths);
    } else {
        paths.push(src.join(format!("{module}.rs")));
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source");
            // The tests of a module may import anything.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            (path.strip_prefix(here()).expect("inside").display().to_string(), code.join("\n"))
        })
        .filter(|(name, _)| !name.ends_with("tests.rs"))
        .collect()
}

/// The modules that a text names as `crate::module`.
fn known(code: &str) -> BTreeSet<&str> {
    code.split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next().unwrap_or_default())
        .filter(|name| LAYERS.contains(name))
        .collect()
}

#[test]
fn every_module_has_its_layer() {
    let lib = fs::read_to_string(here().join("src/lib.rs")).expect("lib.rs");
    let mut modules: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(|rest| rest.trim_end_matches(';'))
        .collect();
    let mut layers = LAYERS.to_vec();
    modules.sort_unstable();
    layers.sort_unstable();
    assert_eq!(modules, layers, "a new module needs its layer here and in ARCHITECTURE.md");
}

#[test]
fn every_import_points_down() {
    let mut wrong = Vec::new();
    for (layer, module) in LAYERS.iter().enumerate() {
        for (file, code) in sources(module) {
            for name in known(&code) {
                if name != *module && !LAYERS[..layer].contains(&name) {
                    wrong.push(format!("{file} knows `{name}`, which is above `{module}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_modules_reach_nothing_outside() {
    let mut wrong = Vec::new();
    for module in PURE {
        for (file, code) in sources(module) {
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
fn the_map_names_every_module() {
    let map = fs::read_to_string(here().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for module in LAYERS {
        assert!(map.contains(&format!("`{module}")), "ARCHITECTURE.md does not name `{module}`");
    }
}

#[test]
fn the_map_lists_every_kind_of_rule() {
    let map = fs::read_to_string(here().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let line = map.lines().find(|line| line.starts_with("kinds![")).expect("the list of kinds");
    let listed: Vec<&str> = line
        .trim_start_matches("kinds![")
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && !name.starts_with("/*"))
        .collect();
    let kinds: Vec<&str> = mlgate::rule::KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(listed, kinds);
}

/// What a source imports from its own folder: the first name after each `super::`, in a `use` or in the code.
fn beside(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // `super::name::function` in the code is an import too; `super::super::` names another folder.
    for part in code.split("super::").skip(1) {
        let name = part.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next().unwrap_or_default();
        if !name.is_empty() && part[name.len()..].starts_with("::") {
            found.insert(name.to_owned());
        }
    }
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
    for (file, code) in LAYERS.iter().flat_map(|module| sources(module)) {
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
