//! Whether a record fits a schema: on our own tree, in exact numbers, in a bounded number of steps.

use std::collections::HashSet;

use super::keywords::{Bound, Counted, Id, Keyword, SORTS, Schemas, Sort};
use crate::document::{Map, Node, Path, Segment, Value, nearest};
use crate::run::{Decimal, identical, value_key};

/// The most steps of one evaluation. A record of 10,000 values takes a tenth of it with an ordinary schema.
const MAX_STEPS: usize = 2_000_000;
/// How deeply schemas can nest.
const MAX_DEPTH: usize = 120;
/// The most faults of one record that are described; a wrong schema can have one for each field.
const MAX_SHOWN: usize = 20;

/// What does not fit.
#[derive(Debug)]
pub(super) struct Fault {
    /// Where in the record.
    pub(super) path: Path,
    /// How it does not fit.
    pub(super) message: String,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exceeded(pub(super) String);

/// The faults of a record, the first of them described, and how many there are.
pub(super) fn evaluate(schemas: &Schemas, record: &Node) -> Result<(Vec<Fault>, usize), Exceeded> {
    let mut evaluation = Evaluation {
        schemas,
        steps: 0,
        depth: 0,
        resources: Vec::new(),
        quiet: 0,
        faults: Vec::new(),
        count: 0,
    };
    evaluation.apply(0, record, &Trail::Root)?;
    Ok((evaluation.faults, evaluation.count))
}

/// The path from the record to a value, built only if it is shown.
enum Trail<'t> {
    Root,
    Key(&'t Trail<'t>, &'t str),
    Index(&'t Trail<'t>, usize),
}

impl Trail<'_> {
    fn path(&self) -> Path {
        match self {
            Self::Root => Path::root(),
            Self::Key(parent, key) => parent.path().key(key),
            Self::Index(parent, index) => parent.path().join(&[Segment::Index(*index)]),
        }
    }
}

/// The entries and elements of a value that some keyword looked at: what `unevaluatedProperties` leaves alone.
#[derive(Debug, Default)]
struct Seen<'n> {
    keys: HashSet<&'n str>,
    items: HashSet<usize>,
}

/// Whether a value fits, and what was looked at.
struct Answer<'n> {
    fits: bool,
    seen: Seen<'n>,
}

struct Evaluation<'s> {
    schemas: &'s Schemas,
    steps: usize,
    depth: usize,
    /// The resources on the way here, for `$dynamicRef`.
    resources: Vec<usize>,
    /// Above zero if a fault is not a fault of the record, as within `not`.
    quiet: usize,
    faults: Vec<Fault>,
    count: usize,
}

impl<'s> Evaluation<'s> {
    fn charge(&mut self, steps: usize) -> Result<(), Exceeded> {
        self.steps += 1 + steps;
        if self.steps > MAX_STEPS {
            return Err(Exceeded(format!("it takes more than {MAX_STEPS} steps")));
        }
        Ok(())
    }

    fn fault(&mut self, at: &Trail<'_>, message: impl FnOnce() -> String) -> bool {
        if self.quiet == 0 {
            self.count += 1;
            if self.faults.len() < MAX_SHOWN {
                self.faults.push(Fault { path: at.path(), message: message() });
            }
        }
        false
    }

    fn apply<'n>(&mut self, id: Id, node: &'n Node, at: &Trail<'_>) -> Result<Answer<'n>, Exceeded> {
        self.charge(0)?;
        if self.depth >= MAX_DEPTH {
            return Err(Exceeded(format!(
                "its schemas lead to each other more than {MAX_DEPTH} deep, or in a ring"
            )));
        }
        let schemas = self.schemas;
        let schema = &schemas.all[id];
        let enters = self.resources.last() != Some(&schema.resource);
        if enters {
            self.resources.push(schema.resource);
        }
        self.depth += 1;
        let mut answer = Answer { fits: true, seen: Seen::default() };
        for keyword in &schema.keywords {
            let fits = self.keyword(keyword, node, at, &mut answer.seen)?;
            answer.fits &= fits;
        }
        self.depth -= 1;
        if enters {
            self.resources.pop();
        }
        Ok(answer)
    }

    /// Applies a schema to the same value; what it looked at counts where the value fits.
    fn same<'n>(
        &mut self,
        id: Id,
        node: &'n Node,
        at: &Trail<'_>,
        seen: &mut Seen<'n>,
    ) -> Result<bool, Exceeded> {
        let answer = self.apply(id, node, at)?;
        if answer.fits && self.schemas.tracks {
            self.charge(answer.seen.keys.len() + answer.seen.items.len())?;
            seen.keys.extend(answer.seen.keys);
            seen.items.extend(answer.seen.items);
        }
        Ok(answer.fits)
    }

    /// Like [`Self::same`], but a value that does not fit is not a fault.
    fn quietly<'n>(
        &mut self,
        id: Id,
        node: &'n Node,
        at: &Trail<'_>,
        seen: &mut Seen<'n>,
    ) -> Result<bool, Exceeded> {
        self.quiet += 1;
        let fits = self.same(id, node, at, seen);
        self.quiet -= 1;
        fits
    }

    fn keyword<'n>(
        &mut self,
        keyword: &'s Keyword,
        node: &'n Node,
        at: &Trail<'_>,
        seen: &mut Seen<'n>,
    ) -> Result<bool, Exceeded> {
        self.charge(0)?;
        match keyword {
            Keyword::Nothing => Ok(self.fault(at, || "it must not be here".into())),
            Keyword::Type(sorts) => {
                let fits = sorts.iter().any(|sort| is_of(node, *sort));
                Ok(fits || self.fault(at, || format!("{} is not of type {}", shown(node), sort_names(sorts))))
            }
            Keyword::Enum(values) => self.one_of_values(values, node, at),
            Keyword::Bound(bound, limit) => self.bound(*bound, limit, node, at),
            Keyword::AtLeast(what, least) => {
                self.counted(*what, node, at, |count| count >= *least, "least", *least)
            }
            Keyword::AtMost(what, most) => {
                self.counted(*what, node, at, |count| count <= *most, "most", *most)
            }
            Keyword::Pattern(regex) => {
                let Value::String(text) = &node.value else { return Ok(true) };
                self.charge(text.len())?;
                Ok(regex.is_match(text)
                    || self.fault(at, || format!("{} does not match the pattern", shown(node))))
            }
            Keyword::Format(format) => {
                let Value::String(text) = &node.value else { return Ok(true) };
                self.charge(text.len())?;
                Ok(format.fits(text)
                    || self.fault(at, || format!("{} is no `{}`", shown(node), format.name())))
            }
            Keyword::AllOf(ids) => {
                let mut fits = true;
                for id in ids {
                    fits &= self.same(*id, node, at, seen)?;
                }
                Ok(fits)
            }
            Keyword::Ref(id) => self.same(*id, node, at, seen),
            Keyword::DynamicRef { name, fallback } => {
                let anchors = self.schemas.dynamic.get(name).map_or(&[][..], Vec::as_slice);
                let outermost = self.resources.iter().find_map(|resource| {
                    anchors.iter().find(|(known, _)| known == resource).map(|(_, id)| *id)
                });
                self.same(outermost.unwrap_or(*fallback), node, at, seen)
            }
            Keyword::AnyOf(_) | Keyword::OneOf(_) | Keyword::Not(_) | Keyword::If { .. } => {
                self.choice(keyword, node, at, seen)
            }
            _ => match &node.value {
                Value::List(items) => self.list(keyword, items, at, seen),
                Value::Map(map) => self.object(keyword, map, node, at, seen),
                _ => Ok(true),
            },
        }
    }

    fn choice<'n>(
        &mut self,
        keyword: &'s Keyword,
        node: &'n Node,
        at: &Trail<'_>,
        seen: &mut Seen<'n>,
    ) -> Result<bool, Exceeded> {
        match keyword {
            Keyword::AnyOf(ids) | Keyword::OneOf(ids) => {
                let mut fitting = 0;
                for id in ids {
                    fitting += usize::from(self.quietly(*id, node, at, seen)?);
                }
                let one = matches!(keyword, Keyword::OneOf(_));
                let what = if one { "oneOf" } else { "anyOf" };
                let fits = if one { fitting == 1 } else { fitting > 0 };
                Ok(fits
                    || self.fault(at, || match fitting {
                        0 => {
                            format!("{} fits none of the {} alternatives of `{what}`", shown(node), ids.len())
                        }
                        _ => format!(
                            "{} fits {fitting} alternatives of `oneOf`, and must fit one",
                            shown(node)
                        ),
                    }))
            }
            Keyword::Not(id) => {
                let fits = !self.quietly(*id, node, at, &mut Seen::default())?;
                Ok(fits || self.fault(at, || format!("{} fits what `not` rules out", shown(node))))
            }
            Keyword::If { condition, then, otherwise } => {
                let holds = self.quietly(*condition, node, at, seen)?;
                match if holds { then } else { otherwise } {
                    Some(id) => self.same(*id, node, at, seen),
                    None => Ok(true),
                }
            }
            _ => Ok(true),
        }
    }

    fn one_of_values(&mut self, values: &'s [Node], node: &Node, at: &Trail<'_>) -> Result<bool, Exceeded> {
        let weight = weight(node);
        self.charge(values.len() * weight)?;
        if values.iter().any(|value| identical(value, node)) {
            return Ok(true);
        }
        Ok(self.fault(at, || {
            let choice: Vec<String> = values.iter().take(10).map(shown).collect();
            let more = if values.len() > choice.len() { ", …" } else { "" };
            match choice.as_slice() {
                [only] => format!("{} is not {only}", shown(node)),
                [first @ .., last] if more.is_empty() => {
                    format!("{} is not one of {} or {last}", shown(node), first.join(", "))
                }
                _ => format!("{} is not one of {}{more}", shown(node), choice.join(", ")),
            }
        }))
    }

    /// A number that is not finite, or too large to compare, is outside every bound.
    fn bound(
        &mut self,
        bound: Bound,
        limit: &Decimal,
        node: &Node,
        at: &Trail<'_>,
    ) -> Result<bool, Exceeded> {
        let (Value::Number(written) | Value::NotFinite(written)) = &node.value else { return Ok(true) };
        self.charge(written.len() / 16 + if bound == Bound::MultipleOf { 500 } else { 20 })?;
        let Ok(value) = Decimal::parse(written) else {
            return Ok(self.fault(at, || format!("{written} can't be compared with {limit}")));
        };
        let (fits, asked) = match bound {
            Bound::Minimum => (value >= *limit, "at least"),
            Bound::Maximum => (value <= *limit, "at most"),
            Bound::ExclusiveMinimum => (value > *limit, "more than"),
            Bound::ExclusiveMaximum => (value < *limit, "less than"),
            Bound::MultipleOf => (value.is_multiple_of(limit), "a multiple of"),
        };
        Ok(fits || self.fault(at, || format!("{written} must be {asked} {limit}")))
    }

    fn counted(
        &mut self,
        what: Counted,
        node: &Node,
        at: &Trail<'_>,
        fits: impl Fn(usize) -> bool,
        word: &str,
        limit: usize,
    ) -> Result<bool, Exceeded> {
        let (count, noun) = match (what, &node.value) {
            (Counted::Characters, Value::String(text)) => {
                self.charge(text.len() / 64)?;
                (text.chars().count(), "characters")
            }
            (Counted::Items, Value::List(items)) => (items.len(), "elements"),
            (Counted::Properties, Value::Map(map)) => (map.len(), "keys"),
            _ => return Ok(true),
        };
        Ok(fits(count)
            || self.fault(at, || format!("it has {count} {noun}, and must have at {word} {limit}")))
    }

    fn list<'n>(
        &mut self,
        keyword: &'s Keyword,
        items: &'n [Node],
        at: &Trail<'_>,
        seen: &mut Seen<'n>,
    ) -> Result<bool, Exceeded> {
        let mut fits = true;
        match keyword {
            Keyword::Items { prefix, rest } => {
                for (index, item) in items.iter().enumerate() {
                    let Some(id) = prefix.get(index).or(rest.as_ref()) else { break };
                    fits &= self.apply(*id, item, &Trail::Index(at, index))?.fits;
                    self.see_item(index, seen);
                }
            }
            Keyword::Contains { schema, least, most } => {
                let mut count = 0;
                for (index, item) in items.iter().enumerate() {
                    self.quiet += 1;
                    let answer = self.apply(*schema, item, &Trail::Index(at, index));
                    self.quiet -= 1;
                    if answer?.fits {
                        count += 1;
                        self.see_item(index, seen);
                    }
                }
                if count < *least || most.is_some_and(|most| count > most) {
                    fits = self.fault(at, || {
                        format!("{count} elements fit `contains`, which is not as many as it asks for")
                    });
                }
            }
            Keyword::UniqueItems => {
                self.charge(items.iter().map(weight).sum())?;
                let mut keys = HashSet::new();
                let again = items
                    .iter()
                    .find(|item| !value_key(&Path::root(), item).is_some_and(|key| keys.insert(key)));
                if let Some(again) = again {
                    fits = self.fault(at, || format!("{} is in it twice", shown(again)));
                }
            }
            Keyword::UnevaluatedItems(id) => {
                for (index, item) in items.iter().enumerate().filter(|(index, _)| !seen.items.contains(index))
                {
                    fits &= self.apply(*id, item, &Trail::Index(at, index))?.fits;
                }
                seen.items.extend(0..items.len());
            }
            _ => {}
        }
        Ok(fits)
    }

    fn object<'n>(
        &mut self,
        keyword: &'s Keyword,
        map: &'n Map,
        node: &'n Node,
        at: &Trail<'_>,
        seen: &mut Seen<'n>,
    ) -> Result<bool, Exceeded> {
        let mut fits = true;
        match keyword {
            Keyword::Required(names) => {
                self.charge(names.len())?;
                for name in names.iter().filter(|name| map.get(name).is_none()) {
                    fits = self.fault(at, || {
                        let near = nearest(name, map.keys()).map(|near| format!("; it has `{near}`"));
                        format!("`{name}` is missing{}", near.unwrap_or_default())
                    });
                }
            }
            Keyword::PropertyNames(id) => {
                for key in map.keys() {
                    let name = Node::text(key);
                    fits &= self.apply(*id, &name, &Trail::Key(at, key))?.fits;
                }
            }
            Keyword::Properties { named, patterns, rest } => {
                for (key, below) in map.iter() {
                    self.charge(patterns.len() * (1 + key.len()))?;
                    let by_name = named.get(key).copied();
                    let by_pattern =
                        patterns.iter().filter(|(regex, _)| regex.is_match(key)).map(|(_, id)| *id);
                    let mut ids: Vec<Id> = by_name.into_iter().chain(by_pattern).collect();
                    if ids.is_empty() {
                        ids.extend(*rest);
                    }
                    for id in &ids {
                        fits &= self.apply(*id, below, &Trail::Key(at, key))?.fits;
                    }
                    if self.schemas.tracks && !ids.is_empty() {
                        seen.keys.insert(key);
                    }
                }
            }
            Keyword::DependentRequired(dependent) => {
                for (key, names) in dependent {
                    self.charge(names.len())?;
                    if map.get(key).is_none() {
                        continue;
                    }
                    for name in names.iter().filter(|name| map.get(name).is_none()) {
                        fits = self.fault(at, || format!("`{name}` is missing, which `{key}` needs"));
                    }
                }
            }
            Keyword::DependentSchemas(dependent) => {
                for (key, id) in dependent {
                    if map.get(key).is_some() {
                        fits &= self.same(*id, node, at, seen)?;
                    }
                }
            }
            Keyword::UnevaluatedProperties(id) => {
                for (key, below) in map.iter() {
                    if !seen.keys.contains(key) {
                        fits &= self.apply(*id, below, &Trail::Key(at, key))?.fits;
                    }
                }
                seen.keys.extend(map.keys());
            }
            _ => {}
        }
        Ok(fits)
    }

    fn see_item(&self, index: usize, seen: &mut Seen<'_>) {
        if self.schemas.tracks {
            seen.items.insert(index);
        }
    }
}

/// A number that is not finite has no type: JSON has no such number.
fn is_of(node: &Node, sort: Sort) -> bool {
    match (&node.value, sort) {
        (Value::Null, Sort::Null)
        | (Value::Bool(_), Sort::Boolean)
        | (Value::Number(_), Sort::Number)
        | (Value::String(_), Sort::String)
        | (Value::List(_), Sort::Array)
        | (Value::Map(_), Sort::Object) => true,
        (Value::Number(written), Sort::Integer) => {
            Decimal::parse(written).is_ok_and(|value| value.is_whole())
        }
        _ => false,
    }
}

fn sort_names(sorts: &[Sort]) -> String {
    let name = |sort: &Sort| SORTS.iter().find(|(_, known)| known == sort).map_or("", |(name, _)| name);
    sorts.iter().map(|sort| format!("\"{}\"", name(sort))).collect::<Vec<_>>().join(" or ")
}

fn shown(node: &Node) -> String {
    match &node.value {
        Value::String(_) => format!("\"{}\"", node.brief()),
        _ => node.brief(),
    }
}

/// How much there is to read of a value.
fn weight(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Map(map) => 1 + map.iter().map(|(_, node)| 1 + weight(node)).sum::<usize>(),
        _ => 1 + node.as_written().map_or(0, str::len) / 64,
    }
}
