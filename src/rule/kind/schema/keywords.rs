//! A JSON Schema as data that can be evaluated: every keyword read and checked, every reference followed, each part
//! of a file once.

use std::collections::{BTreeSet, HashMap, VecDeque};

use indexmap::IndexMap;
use regex::Regex;

use super::format::Format;
use super::pattern;
use super::resources::{Location, ReadFile, Refusal, Resources};
use crate::document::{Map, Node, Segment, Value, listed};
use crate::run::Decimal;

/// The index of a schema.
pub(super) type Id = usize;

/// The most schemas in all files together.
const MAX_SCHEMAS: usize = 20_000;
/// Different regular expressions, each of which may take half a megabyte.
const MAX_PATTERNS: usize = 128;

/// Every schema that can be reached from the first.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    pub(super) all: Vec<Schema>,
    /// By the name of a dynamic anchor: the resources that have it, and the schema there.
    pub(super) dynamic: HashMap<String, Vec<(usize, Id)>>,
    /// Whether what was evaluated must be remembered, for `unevaluatedProperties` and `unevaluatedItems`.
    pub(super) tracks: bool,
    /// Keywords and formats that are no part of JSON Schema, or that gate does not check.
    pub(super) ignored: BTreeSet<String>,
}

/// One schema; without a keyword, everything fits.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) keywords: Vec<Keyword>,
    /// The resource that it belongs to, for `$dynamicRef`.
    pub(super) resource: usize,
}

/// The types of values, by their names in `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Null,
    Boolean,
    Number,
    Integer,
    String,
    Array,
    Object,
}

pub(super) const SORTS: [(&str, Sort); 7] = [
    ("null", Sort::Null),
    ("boolean", Sort::Boolean),
    ("number", Sort::Number),
    ("integer", Sort::Integer),
    ("string", Sort::String),
    ("array", Sort::Array),
    ("object", Sort::Object),
];

/// How a number is compared with a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Minimum,
    Maximum,
    ExclusiveMinimum,
    ExclusiveMaximum,
    MultipleOf,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Characters,
    Items,
    Properties,
}

#[derive(Debug)]
pub(super) enum Keyword {
    /// The schema `false`.
    Nothing,
    Type(Vec<Sort>),
    Enum(Vec<Node>),
    Bound(Bound, Decimal),
    AtLeast(Counted, usize),
    AtMost(Counted, usize),
    Pattern(Regex),
    Format(Format),
    UniqueItems,
    Items {
        prefix: Vec<Id>,
        rest: Option<Id>,
    },
    Contains {
        schema: Id,
        least: usize,
        most: Option<usize>,
    },
    Required(Vec<Box<str>>),
    PropertyNames(Id),
    Properties {
        named: IndexMap<Box<str>, Id>,
        patterns: Vec<(Regex, Id)>,
        rest: Option<Id>,
    },
    DependentRequired(Vec<(Box<str>, Vec<Box<str>>)>),
    DependentSchemas(Vec<(Box<str>, Id)>),
    AllOf(Vec<Id>),
    AnyOf(Vec<Id>),
    OneOf(Vec<Id>),
    Not(Id),
    If {
        condition: Id,
        then: Option<Id>,
        otherwise: Option<Id>,
    },
    Ref(Id),
    DynamicRef {
        name: String,
        fallback: Id,
    },
    UnevaluatedItems(Id),
    UnevaluatedProperties(Id),
}

impl Keyword {
    /// Whether it must come after all others, since it is about what they left.
    fn is_last(&self) -> bool {
        matches!(self, Self::UnevaluatedItems(_) | Self::UnevaluatedProperties(_))
    }

    /// Whether it requires something itself, and not only through the schemas that it leads to.
    fn requires(&self) -> bool {
        match self {
            Self::Properties { .. }
            | Self::Items { .. }
            | Self::AllOf(_)
            | Self::AnyOf(_)
            | Self::If { .. }
            | Self::Ref(_)
            | Self::DynamicRef { .. }
            | Self::DependentSchemas(_)
            | Self::PropertyNames(_)
            | Self::UnevaluatedItems(_)
            | Self::UnevaluatedProperties(_) => false,
            Self::Required(names) => !names.is_empty(),
            _ => true,
        }
    }
}

/// Keywords that require something, or lead to schemas that may.
const REQUIRING: [&str; 41] = [
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
    "additionalItems",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "required",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "properties",
    "patternProperties",
    "additionalProperties",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "$ref",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords that say something about a schema and require nothing.
const SAYING: [&str; 24] = [
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$dynamicAnchor",
    "$recursiveAnchor",
    "$dynamicRef",
    "$recursiveRef",
    "$vocabulary",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "comment",
];

/// Reads the schema in a file, and everything that it refers to.
pub(super) fn compile(read: ReadFile<'_>, path: &str) -> Result<Schemas, Refusal> {
    let mut resources = Resources::new(read);
    let root = resources.open(path)?;
    let mut compiler = Compiler {
        resources,
        ids: HashMap::new(),
        queue: VecDeque::new(),
        resource_numbers: HashMap::new(),
        patterns: 0,
        requires: 0,
        schemas: Schemas::default(),
    };
    compiler.id(root)?;
    let mut dynamic_names: BTreeSet<String> = BTreeSet::new();
    while let Some(location) = compiler.queue.pop_front() {
        let schema = compiler.schema(&location)?;
        for keyword in &schema.keywords {
            if let Keyword::DynamicRef { name, .. } = keyword {
                dynamic_names.insert(name.clone());
            }
        }
        compiler.schemas.all.push(schema);
        if compiler.queue.is_empty() {
            // A dynamic reference may lead to any anchor of its name, in any of the files.
            for name in &dynamic_names {
                let mut found = Vec::new();
                for (address, location) in compiler.resources.dynamic_anchors(name) {
                    found.push((compiler.resource_number(address), compiler.id(location)?));
                }
                compiler.schemas.dynamic.insert(name.clone(), found);
            }
        }
    }
    if compiler.requires == 0 {
        return Err(Refusal::Empty(format!("`{path}` requires nothing: every record would fit it")));
    }
    Ok(compiler.schemas)
}

struct Compiler<'l> {
    resources: Resources<'l>,
    ids: HashMap<Location, Id>,
    queue: VecDeque<Location>,
    resource_numbers: HashMap<String, usize>,
    patterns: usize,
    /// Keywords that require something by themselves.
    requires: usize,
    schemas: Schemas,
}

/// One schema while its keywords are read.
struct Reading<'n> {
    at: Location,
    map: &'n Map,
    label: String,
}

impl Compiler<'_> {
    fn id(&mut self, location: Location) -> Result<Id, Refusal> {
        if let Some(id) = self.ids.get(&location) {
            return Ok(*id);
        }
        if self.ids.len() >= MAX_SCHEMAS {
            return Err(Refusal::new(
                format!("it has more than {MAX_SCHEMAS} schemas in it"),
                "split the rule",
            ));
        }
        let id = self.ids.len();
        self.ids.insert(location.clone(), id);
        self.queue.push_back(location);
        Ok(id)
    }

    fn resource_number(&mut self, address: String) -> usize {
        let next = self.resource_numbers.len();
        *self.resource_numbers.entry(address).or_insert(next)
    }

    fn below(&mut self, at: &Location, steps: &[Segment]) -> Result<Id, Refusal> {
        self.id(Location { file: at.file, path: at.path.join(steps) })
    }

    fn schema(&mut self, at: &Location) -> Result<Schema, Refusal> {
        let mut address = self.resources.base(at);
        address.set_fragment(None);
        let resource = self.resource_number(address.into());
        let root = self.resources.root(at.file);
        let label = self.resources.label(at);
        let mut node = &*root;
        for segment in at.path.segments() {
            let below = match (segment, &node.value) {
                (Segment::Key(key), Value::Map(map)) => map.get(key),
                (Segment::Index(index), Value::List(items)) => items.get(*index),
                _ => None,
            };
            node = below.ok_or_else(|| Refusal::new(format!("{label} is not there"), ""))?;
        }
        let map = match &node.value {
            Value::Bool(true) => return Ok(Schema { keywords: Vec::new(), resource }),
            Value::Bool(false) => {
                self.requires += 1;
                return Ok(Schema { keywords: vec![Keyword::Nothing], resource });
            }
            Value::Map(map) => map,
            other => {
                let message =
                    format!("{label} must be an object, true or false, and this is {}", other.sort());
                return Err(Refusal::new(message, "a schema is an object with keywords"));
            }
        };
        let reading = Reading { at: at.clone(), map, label };
        self.known(&reading)?;
        let mut keywords = Vec::new();
        for (key, node) in map.iter() {
            if let Some(keyword) = self.keyword(&reading, key, node)? {
                self.requires += usize::from(keyword.requires());
                self.schemas.tracks |= keyword.is_last();
                keywords.push(keyword);
            }
        }
        keywords.sort_by_key(Keyword::is_last);
        Ok(Schema { keywords, resource })
    }

    /// Refuses a keyword that looks like a slip; notes one that JSON Schema does not have.
    fn known(&mut self, reading: &Reading<'_>) -> Result<(), Refusal> {
        for key in reading.map.keys() {
            if REQUIRING.contains(&key) || SAYING.contains(&key) {
                continue;
            }
            let near = match key {
                "min" => Some("minimum"),
                "max" => Some("maximum"),
                "regex" => Some("pattern"),
                _ => REQUIRING
                    .into_iter()
                    .filter(|known| likeness(key, known) >= 0.72)
                    .max_by(|one, other| likeness(key, one).total_cmp(&likeness(key, other))),
            };
            if let Some(near) = near {
                return Err(Refusal::new(
                    format!("{} has a keyword `{key}`, which JSON Schema does not have", reading.label),
                    format!("did you mean `{near}`? A keyword that is meant as a remark begins with `x-`"),
                ));
            }
            if !key.starts_with("x-") {
                self.schemas.ignored.insert(format!("the keyword `{key}`"));
            }
        }
        Ok(())
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each keyword of the standard")]
    fn keyword(&mut self, reading: &Reading<'_>, key: &str, node: &Node) -> Result<Option<Keyword>, Refusal> {
        let (at, map) = (&reading.at, reading.map);
        let one = |this: &mut Self, key: &str| this.below(at, &[Segment::Key(key.into())]);
        let keyword = match key {
            "type" => Keyword::Type(reading.sorts(node)?),
            "const" => Keyword::Enum(vec![node.clone()]),
            "enum" => Keyword::Enum(reading.list(key, node)?.to_vec()),
            "minimum" | "maximum" => {
                // In draft 4, a boolean beside the bound makes it exclusive.
                let exclusive_key = if key == "minimum" { "exclusiveMinimum" } else { "exclusiveMaximum" };
                let exclusive =
                    matches!(map.get(exclusive_key).map(|node| &node.value), Some(Value::Bool(true)));
                let bound = match (key, exclusive) {
                    ("minimum", false) => Bound::Minimum,
                    ("minimum", true) => Bound::ExclusiveMinimum,
                    (_, false) => Bound::Maximum,
                    (_, true) => Bound::ExclusiveMaximum,
                };
                Keyword::Bound(bound, reading.number(key, node)?)
            }
            "exclusiveMinimum" | "exclusiveMaximum" if matches!(node.value, Value::Bool(_)) => {
                let beside = if key == "exclusiveMinimum" { "minimum" } else { "maximum" };
                if map.get(beside).is_none() {
                    return Err(reading.wrong(key, "a number", node));
                }
                return Ok(None);
            }
            "exclusiveMinimum" => Keyword::Bound(Bound::ExclusiveMinimum, reading.number(key, node)?),
            "exclusiveMaximum" => Keyword::Bound(Bound::ExclusiveMaximum, reading.number(key, node)?),
            "multipleOf" => {
                let number = reading.number(key, node)?;
                if number.is_zero() || number.is_negative() {
                    return Err(reading.wrong(key, "a number above 0", node));
                }
                Keyword::Bound(Bound::MultipleOf, number)
            }
            "minLength" => Keyword::AtLeast(Counted::Characters, reading.count(key, node)?),
            "maxLength" => Keyword::AtMost(Counted::Characters, reading.count(key, node)?),
            "minItems" => Keyword::AtLeast(Counted::Items, reading.count(key, node)?),
            "maxItems" => Keyword::AtMost(Counted::Items, reading.count(key, node)?),
            "minProperties" => Keyword::AtLeast(Counted::Properties, reading.count(key, node)?),
            "maxProperties" => Keyword::AtMost(Counted::Properties, reading.count(key, node)?),
            "pattern" => Keyword::Pattern(self.pattern(reading, reading.text(key, node)?)?),
            "format" => {
                let name = reading.text(key, node)?;
                match Format::named(name) {
                    Some(format) => Keyword::Format(format),
                    None => {
                        self.schemas.ignored.insert(format!("the format `{name}`"));
                        return Ok(None);
                    }
                }
            }
            "uniqueItems" => {
                if !reading.flag(key, node)? {
                    return Ok(None);
                }
                Keyword::UniqueItems
            }
            "items" | "prefixItems" | "additionalItems" => return self.items(reading, key, node),
            "contains" => {
                let count = |key: &str| map.get(key).map(|node| reading.count(key, node)).transpose();
                let (least, most) = (count("minContains")?.unwrap_or(1), count("maxContains")?);
                Keyword::Contains { schema: one(self, key)?, least, most }
            }
            "required" if matches!(node.value, Value::List(_)) => {
                Keyword::Required(reading.texts(key, node)?)
            }
            "required" => return Err(reading.wrong(key, "a list of names", node)),
            "propertyNames" => Keyword::PropertyNames(one(self, key)?),
            "properties" | "patternProperties" | "additionalProperties" => {
                return self.properties(reading, key);
            }
            "dependentRequired" => {
                let mut dependent = Vec::new();
                for (name, node) in reading.object(key, node)?.iter() {
                    dependent.push((name.into(), reading.texts(key, node)?));
                }
                Keyword::DependentRequired(dependent)
            }
            "dependentSchemas" => Keyword::DependentSchemas(self.named(reading, key, node, |_| true)?),
            "dependencies" => return self.dependencies(reading, key, node).map(Some),
            "allOf" => Keyword::AllOf(self.several(reading, key, node)?),
            "anyOf" => Keyword::AnyOf(self.several(reading, key, node)?),
            "oneOf" => Keyword::OneOf(self.several(reading, key, node)?),
            "not" => Keyword::Not(one(self, key)?),
            "if" => {
                let mut branch = |key: &str| map.get(key).map(|_| one(self, key)).transpose();
                let (then, otherwise) = (branch("then")?, branch("else")?);
                Keyword::If { condition: one(self, key)?, then, otherwise }
            }
            "$ref" => {
                let target = self.resources.resolve(at, reading.text(key, node)?)?;
                Keyword::Ref(self.id(target.location)?)
            }
            "$dynamicRef" | "$recursiveRef" => {
                let target = self.resources.resolve(at, reading.text(key, node)?)?;
                let fallback = self.id(target.location)?;
                match target.dynamic {
                    Some(name) => Keyword::DynamicRef { name, fallback },
                    None => Keyword::Ref(fallback),
                }
            }
            "unevaluatedItems" => Keyword::UnevaluatedItems(one(self, key)?),
            "unevaluatedProperties" => Keyword::UnevaluatedProperties(one(self, key)?),
            _ => return Ok(None),
        };
        Ok(Some(keyword))
    }

    /// `items` is the schema of all elements, of those after `prefixItems` or, in older drafts, a list of
    /// schemas before `additionalItems`. The first of these keywords reads all of them.
    fn items(&mut self, reading: &Reading<'_>, key: &str, node: &Node) -> Result<Option<Keyword>, Refusal> {
        let map = reading.map;
        let several_key = match (map.get("prefixItems"), map.get("items").map(|node| &node.value)) {
            (Some(_), _) => Some("prefixItems"),
            (None, Some(Value::List(_))) => Some("items"),
            _ => None,
        };
        let rest_key = match several_key {
            Some("items") => map.get("additionalItems").map(|_| "additionalItems"),
            _ => map.get("items").map(|_| "items"),
        };
        // Without a list of `items`, `additionalItems` has no effect.
        if several_key.or(rest_key) != Some(key) {
            return Ok(None);
        }
        let prefix = match several_key {
            Some(key) => self.several(reading, key, map.get(key).unwrap_or(node))?,
            None => Vec::new(),
        };
        let rest = rest_key.map(|key| self.below(&reading.at, &[Segment::Key(key.into())])).transpose()?;
        Ok(Some(Keyword::Items { prefix, rest }))
    }

    fn properties(&mut self, reading: &Reading<'_>, key: &str) -> Result<Option<Keyword>, Refusal> {
        let map = reading.map;
        let keys = ["properties", "patternProperties", "additionalProperties"];
        if keys.into_iter().find(|key| map.get(key).is_some()) != Some(key) {
            return Ok(None);
        }
        let mut named = IndexMap::new();
        if let Some(node) = map.get("properties") {
            named.extend(self.named(reading, "properties", node, |_| true)?);
        }
        let mut patterns = Vec::new();
        if let Some(node) = map.get("patternProperties") {
            for (pattern, id) in self.named(reading, "patternProperties", node, |_| true)? {
                patterns.push((self.pattern(reading, &pattern)?, id));
            }
        }
        let rest = map
            .get("additionalProperties")
            .map(|_| self.below(&reading.at, &[Segment::Key("additionalProperties".into())]))
            .transpose()?;
        Ok(Some(Keyword::Properties { named, patterns, rest }))
    }

    /// Before 2019-09, one keyword for what two have now.
    fn dependencies(&mut self, reading: &Reading<'_>, key: &str, node: &Node) -> Result<Keyword, Refusal> {
        let mut required = Vec::new();
        for (name, node) in reading.object(key, node)?.iter() {
            if !matches!(node.value, Value::Map(_) | Value::Bool(_)) {
                required.push((Box::from(name), reading.texts(key, node)?));
            }
        }
        let schemas =
            self.named(reading, key, node, |node| matches!(node.value, Value::Map(_) | Value::Bool(_)))?;
        match (required.is_empty(), schemas.is_empty()) {
            (true, _) => Ok(Keyword::DependentSchemas(schemas)),
            (false, true) => Ok(Keyword::DependentRequired(required)),
            (false, false) => Err(Refusal::new(
                format!("`{key}` in {} has both names and schemas", reading.label),
                "write `dependentRequired` and `dependentSchemas`",
            )),
        }
    }

    fn several(&mut self, reading: &Reading<'_>, key: &str, node: &Node) -> Result<Vec<Id>, Refusal> {
        let count = reading.list(key, node)?.len();
        let below = |index: usize| [Segment::Key(key.into()), Segment::Index(index)];
        (0..count).map(|index| self.below(&reading.at, &below(index))).collect()
    }

    fn named(
        &mut self,
        reading: &Reading<'_>,
        key: &str,
        node: &Node,
        wanted: impl Fn(&Node) -> bool,
    ) -> Result<Vec<(Box<str>, Id)>, Refusal> {
        let mut named = Vec::new();
        for (name, node) in reading.object(key, node)?.iter() {
            if wanted(node) {
                let steps = [Segment::Key(key.into()), Segment::Key(name.into())];
                named.push((name.into(), self.below(&reading.at, &steps)?));
            }
        }
        Ok(named)
    }

    fn pattern(&mut self, reading: &Reading<'_>, text: &str) -> Result<Regex, Refusal> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            return Err(Refusal::new(
                format!("it has more than {MAX_PATTERNS} patterns"),
                "split the schema",
            ));
        }
        pattern::compile(text).map_err(|why| {
            Refusal::new(
                format!("the pattern `{text}` in {} can't be used: {why}", reading.label),
                "correct the pattern",
            )
        })
    }
}

impl Reading<'_> {
    fn wrong(&self, key: &str, expected: &str, node: &Node) -> Refusal {
        let found = node.as_written().unwrap_or(node.value.sort());
        Refusal::new(
            format!("`{key}` in {} must be {expected}, and this is {found}", self.label),
            "correct the schema",
        )
    }

    fn number(&self, key: &str, node: &Node) -> Result<Decimal, Refusal> {
        match &node.value {
            Value::Number(written) => {
                Decimal::parse(written).map_err(|_| self.wrong(key, "a number of sane size", node))
            }
            _ => Err(self.wrong(key, "a number", node)),
        }
    }

    fn count(&self, key: &str, node: &Node) -> Result<usize, Refusal> {
        let number = self.number(key, node)?;
        if !number.is_whole() || number.is_negative() {
            return Err(self.wrong(key, "a whole number", node));
        }
        // A number beyond `usize` is beyond every length.
        Ok(number.rounded(0).written().parse().unwrap_or(usize::MAX))
    }

    fn text<'n>(&self, key: &str, node: &'n Node) -> Result<&'n str, Refusal> {
        match &node.value {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong(key, "text", node)),
        }
    }

    fn flag(&self, key: &str, node: &Node) -> Result<bool, Refusal> {
        match node.value {
            Value::Bool(value) => Ok(value),
            _ => Err(self.wrong(key, "true or false", node)),
        }
    }

    fn list<'n>(&self, key: &str, node: &'n Node) -> Result<&'n [Node], Refusal> {
        match node.as_list() {
            Some([]) | None => Err(self.wrong(key, "a list with at least one entry", node)),
            Some(items) => Ok(items),
        }
    }

    fn object<'n>(&self, key: &str, node: &'n Node) -> Result<&'n Map, Refusal> {
        node.as_map().ok_or_else(|| self.wrong(key, "an object", node))
    }

    /// A list of names; in the oldest drafts, one name.
    fn texts(&self, key: &str, node: &Node) -> Result<Vec<Box<str>>, Refusal> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        items.iter().map(|item| self.text(key, item).map(Box::from)).collect()
    }

    fn sorts(&self, node: &Node) -> Result<Vec<Sort>, Refusal> {
        let names: Vec<&str> = SORTS.iter().map(|(name, _)| *name).collect();
        self.texts("type", node)?
            .iter()
            .map(|text| {
                let sort = SORTS.iter().find(|(name, _)| *name == &**text).map(|(_, sort)| *sort);
                sort.ok_or_else(|| self.wrong("type", &format!("one of {}", listed(&names)), node))
            })
            .collect()
    }
}

fn likeness(one: &str, other: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase())
}
