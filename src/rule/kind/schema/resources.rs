//! The files of a schema, and what a `$ref` in one of them refers to. Nothing is fetched: a reference can
//! only be to a part of a file beside the policy, by its path or by its own `$id`.

use std::collections::HashMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::document::{Map, Node, Path, Segment, Value};

/// Why a schema can't be used.
#[derive(Debug)]
pub(super) enum Refusal {
    /// One of its files can't be read, and that was reported.
    Reported,
    /// It requires nothing.
    Empty(String),
    /// Something in it is wrong.
    Bad {
        /// What is wrong.
        message: String,
        /// What to do; may be empty.
        help: String,
    },
}

impl Refusal {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Bad { message: message.into(), help: help.into() }
    }
}

/// A place in one of the files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Location {
    pub(super) file: usize,
    pub(super) path: Path,
}

/// The target of a reference.
pub(super) struct Target {
    pub(super) location: Location,
    /// The name of a `$dynamicAnchor`, if it leads to one.
    pub(super) dynamic: Option<String>,
}

struct File {
    path: String,
    root: Arc<Node>,
    address: Url,
    /// Whether it is in draft 4, which writes `id` for `$id`.
    old_id: bool,
}

/// Reads a file by its path relative to the policy.
pub(super) type ReadFile<'l> = &'l mut dyn FnMut(&str) -> Result<Node, Refusal>;

pub(super) struct Resources<'l> {
    read: ReadFile<'l>,
    files: Vec<File>,
    by_path: HashMap<String, usize>,
    /// Schemas that have an address, by that address without its fragment.
    by_address: HashMap<String, Location>,
    /// Anchors by the address that they belong to; whether each is a dynamic one.
    anchors: HashMap<(String, String), (Location, bool)>,
}

/// The name for a `$recursiveAnchor`, which has no name of its own but is otherwise a dynamic anchor.
const RECURSIVE: &str = "";

impl<'l> Resources<'l> {
    pub(super) fn new(read: ReadFile<'l>) -> Self {
        Self {
            read,
            files: Vec::new(),
            by_path: HashMap::new(),
            by_address: HashMap::new(),
            anchors: HashMap::new(),
        }
    }

    /// Reads a file, and notes every name in it.
    pub(super) fn open(&mut self, path: &str) -> Result<Location, Refusal> {
        let path = path.trim_start_matches("./").to_owned();
        let file = match self.by_path.get(&path) {
            Some(file) => *file,
            None => {
                let root = Arc::new((self.read)(&path)?);
                let old_id = dialect(&path, &root)?;
                // The base is not a real address: relative references resolve, but nothing can be fetched.
                let address = Url::parse("gate:///").and_then(|base| base.join(&path));
                let address = address.map_err(|_| Refusal::new(format!("`{path}` can't be named"), ""))?;
                let file = self.files.len();
                self.files.push(File {
                    path: path.clone(),
                    root: Arc::clone(&root),
                    address: address.clone(),
                    old_id,
                });
                self.by_path.insert(path, file);
                self.name(&address, Location { file, path: Path::root() });
                self.scan(&Location { file, path: Path::root() }, &root, &address);
                file
            }
        };
        Ok(Location { file, path: Path::root() })
    }

    /// The node at a location.
    pub(super) fn node(&self, location: &Location) -> Option<&Node> {
        let mut node = &*self.files.get(location.file)?.root;
        for segment in location.path.segments() {
            node = step(node, segment)?;
        }
        Some(node)
    }

    pub(super) fn root(&self, file: usize) -> Arc<Node> {
        Arc::clone(&self.files[file].root)
    }

    /// The name of a location for a person.
    pub(super) fn label(&self, location: &Location) -> String {
        let path = &self.files[location.file].path;
        if location.path.segments().is_empty() {
            format!("`{path}`")
        } else {
            format!("`{}` in `{path}`", location.path)
        }
    }

    /// The base address for relative references at a location.
    pub(super) fn base(&self, location: &Location) -> Url {
        let file = &self.files[location.file];
        let mut base = file.address.clone();
        let mut node = Some(&*file.root);
        let mut segments = location.path.segments().iter();
        while let Some(here) = node {
            if let Some(inner) = here.as_map().and_then(|map| own_address(map, file.old_id, &base)) {
                base = inner;
            }
            node = segments.next().and_then(|segment| step(here, segment));
        }
        base
    }

    /// Every dynamic anchor of a name, with the address that it belongs to.
    pub(super) fn dynamic_anchors(&self, name: &str) -> Vec<(String, Location)> {
        let mut found: Vec<(String, Location)> = self
            .anchors
            .iter()
            .filter(|((_, known), (_, dynamic))| *dynamic && known == name)
            .map(|((address, _), (location, _))| (address.clone(), location.clone()))
            .collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found
    }

    /// Follows a `$ref`, `$dynamicRef` or, as the empty reference, a `$recursiveRef`.
    pub(super) fn resolve(&mut self, from: &Location, reference: &str) -> Result<Target, Refusal> {
        let nowhere = |why: &str| {
            Refusal::new(
                format!("`{reference}` in {why}"),
                "a `$ref` must refer to a part of a file beside the policy",
            )
        };
        let label = self.label(from);
        let mut address =
            self.base(from).join(reference).map_err(|_| nowhere(&format!("{label} is not a reference")))?;
        let fragment = address.fragment().unwrap_or_default();
        let fragment = percent_decode_str(fragment).decode_utf8_lossy().into_owned();
        address.set_fragment(None);
        let root = match self.by_address.get(address.as_str()) {
            Some(root) => root.clone(),
            None => {
                let file = reference.split('#').next().unwrap_or_default();
                if file.is_empty() || file.contains(':') || file.starts_with('/') {
                    return Err(Refusal::new(
                        format!(
                            "`{}` refers to `{reference}`, which is not beside it",
                            self.files[from.file].path
                        ),
                        "copy the schema beside the policy; nothing is fetched",
                    ));
                }
                let here = &self.files[from.file].path;
                let path = match here.rsplit_once('/') {
                    Some((folder, _)) => format!("{folder}/{file}"),
                    None => file.to_owned(),
                };
                let root = self.open(&path)?;
                self.name(&address, root.clone());
                root
            }
        };
        if fragment.is_empty() {
            let recursive = (address.as_str().to_owned(), RECURSIVE.to_owned());
            let dynamic = self.anchors.contains_key(&recursive).then(|| RECURSIVE.to_owned());
            return Ok(Target { location: root, dynamic });
        }
        let Some(pointer) = fragment.strip_prefix('/') else {
            return match self.anchors.get(&(address.as_str().to_owned(), fragment.clone())) {
                Some((location, dynamic)) => {
                    Ok(Target { location: location.clone(), dynamic: dynamic.then_some(fragment) })
                }
                None => Err(nowhere(&format!("{label} refers to no `$anchor`"))),
            };
        };
        let mut location = root;
        for part in pointer.split('/') {
            let key = part.replace("~1", "/").replace("~0", "~");
            let segment = match (self.node(&location).map(|node| &node.value), key.parse()) {
                (Some(Value::List(_)), Ok(index)) => Segment::Index(index),
                _ => Segment::Key(key.into()),
            };
            location.path = location.path.join(&[segment]);
        }
        if self.node(&location).is_none() {
            return Err(nowhere(&format!("{label} refers to nothing")));
        }
        Ok(Target { location, dynamic: None })
    }

    fn name(&mut self, address: &Url, location: Location) {
        let mut address = address.clone();
        address.set_fragment(None);
        self.by_address.entry(address.into()).or_insert(location);
    }

    /// Notes the names that a schema and those in it give themselves. Skips data, as in `const`.
    fn scan(&mut self, at: &Location, node: &Node, base: &Url) {
        let Some(map) = node.as_map() else { return };
        let mut base = base.clone();
        if let Some(own) = own_address(map, self.files[at.file].old_id, &base) {
            self.name(&own, at.clone());
            base = own;
            base.set_fragment(None);
        }
        let mut anchor = |name: &str, dynamic: bool| {
            let key = (base.as_str().to_owned(), name.to_owned());
            self.anchors.insert(key, (at.clone(), dynamic));
        };
        for (key, dynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
            if let Some(name) = text(map, key) {
                anchor(name, dynamic);
            }
        }
        if let Some(name) = text(map, "$id").or_else(|| text(map, "id")).and_then(|id| id.strip_prefix('#')) {
            anchor(name, false);
        }
        if matches!(map.get("$recursiveAnchor").map(|node| &node.value), Some(Value::Bool(true))) {
            anchor(RECURSIVE, true);
        }
        for (steps, below) in schemas_below(map) {
            self.scan(&Location { file: at.file, path: at.path.join(&steps) }, below, &base);
        }
    }
}

fn text<'m>(map: &'m Map, key: &str) -> Option<&'m str> {
    match &map.get(key)?.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// The address that a schema gives itself.
fn own_address(map: &Map, old_id: bool, base: &Url) -> Option<Url> {
    let id = text(map, "$id").or_else(|| text(map, "id").filter(|_| old_id))?;
    if id.starts_with('#') { None } else { base.join(id).ok() }
}

/// Whether a file is in draft 4; refuses what is older, or no JSON Schema at all.
fn dialect(path: &str, root: &Node) -> Result<bool, Refusal> {
    let Some(named) = root.as_map().and_then(|map| map.get("$schema")) else { return Ok(false) };
    let named = named.as_written().unwrap_or_default();
    let known = ["draft-04", "draft-06", "draft-07", "2019-09", "2020-12", "json-schema.org/schema"];
    if !known.iter().any(|dialect| named.contains(dialect)) {
        return Err(Refusal::new(
            format!("`{path}` is in a dialect that gate does not read: `$schema` is `{named}`"),
            "use JSON Schema draft 4, 6, 7, 2019-09 or 2020-12",
        ));
    }
    Ok(named.contains("draft-04"))
}

fn step<'n>(node: &'n Node, segment: &Segment) -> Option<&'n Node> {
    match (segment, &node.value) {
        (Segment::Key(key), Value::Map(map)) => map.get(key),
        (Segment::Index(index), Value::List(items)) => items.get(*index),
        _ => None,
    }
}

/// The schemas directly in a schema, with the path to each.
fn schemas_below(map: &Map) -> Vec<(Vec<Segment>, &Node)> {
    let mut below = Vec::new();
    for (key, node) in map.iter() {
        let to = |segment: Segment| vec![Segment::Key(key.into()), segment];
        match (key, &node.value) {
            (
                "not"
                | "if"
                | "then"
                | "else"
                | "contains"
                | "additionalProperties"
                | "additionalItems"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties"
                | "contentSchema"
                | "items",
                Value::Map(_),
            ) => below.push((vec![Segment::Key(key.into())], node)),
            ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::List(items)) => {
                below.extend(items.iter().enumerate().map(|(index, item)| (to(Segment::Index(index)), item)));
            }
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas"
                | "dependencies",
                Value::Map(named),
            ) => below.extend(named.iter().map(|(name, node)| (to(Segment::Key(name.into())), node))),
            _ => {}
        }
    }
    below
}
