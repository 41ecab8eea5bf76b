//! Checks an expression before it is ever evaluated: its cost, and every name in it.

use super::functions::Function;
use super::{
    ACCUMULATOR, BAD_EXPRESSION, Expr, ExpressionError, NOT_A_CONDITION, Node, Operator, Range, Scope,
    UNKNOWN_NAME, limits,
};
use crate::document::{did_you_mean, listed};
use crate::run::{FieldPath, Names, Step, fields_below, known_fields};

/// Refuses an expression that would cost too much even to parse.
pub(super) fn cost(source: &str) -> Result<(), Box<ExpressionError>> {
    let whole = 0..source.len();
    if source.trim().is_empty() {
        return Err(ExpressionError::new(BAD_EXPRESSION, "the expression is empty", whole));
    }
    if source.len() > limits::SOURCE_BYTES {
        let message =
            format!("the expression has {} bytes; {} are allowed", source.len(), limits::SOURCE_BYTES);
        return Err(ExpressionError::new(BAD_EXPRESSION, message, whole));
    }
    let (mut tokens, mut depth, mut in_word) = (0, 0_usize, false);
    for (at, c) in source.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let word = c.is_alphanumeric() || c == '_';
        if !(c.is_whitespace() || word && in_word) {
            tokens += 1;
        }
        in_word = word;
        let too_much = if depth > limits::NESTING {
            Some(format!("brackets are nested more than {} deep", limits::NESTING))
        } else if tokens > limits::TOKENS {
            Some(format!("the expression has more than {} parts", limits::TOKENS))
        } else {
            None
        };
        if let Some(message) = too_much {
            return Err(ExpressionError::new(BAD_EXPRESSION, message, at..at + c.len_utf8())
                .help("split it into several rules"));
        }
    }
    Ok(())
}

/// Checks every name, and that the answer can be true or false; says whether the baseline is read.
pub(super) fn names(root: &Expr, scope: Scope) -> Result<bool, Box<ExpressionError>> {
    let mut checker = Checker { scope, variables: Vec::new(), reads_baseline: false, folds: 0 };
    checker.walk(root)?;
    if let Some(sort) = never_a_condition(root) {
        return Err(ExpressionError::new(
            NOT_A_CONDITION,
            format!("the result is {sort}, not true or false"),
            root.at.clone(),
        )
        .help("compare it with something: `… >= 0.8`"));
    }
    Ok(checker.reads_baseline)
}

/// The type of the result, if it is known and not a truth value.
fn never_a_condition(expr: &Expr) -> Option<&'static str> {
    match &expr.node {
        Node::Null => Some("null"),
        Node::Number(_) | Node::Negate(_) | Node::Call(Function::Size | Function::Abs, _) => Some("a number"),
        Node::Text(_) => Some("text"),
        Node::List(_) => Some("a list"),
        Node::Binary(Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide, ..) => {
            Some("the result of a computation")
        }
        Node::Call(Function::Timestamp | Function::Duration, _) => Some("a time"),
        Node::Choose(_, yes, no) => never_a_condition(yes).or_else(|| never_a_condition(no)),
        _ => None,
    }
}

/// The keys of the record's field that an expression reads, if they are known.
type Keys = Option<Vec<String>>;

struct Checker {
    scope: Scope,
    variables: Vec<(String, Keys)>,
    reads_baseline: bool,
    folds: usize,
}

impl Checker {
    fn walk(&mut self, expr: &Expr) -> Result<Keys, Box<ExpressionError>> {
        match &expr.node {
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => Ok(None),
            Node::Name(name) => self.name(name, &expr.at),
            Node::Field(operand, field) | Node::Has(operand, field) => {
                let keys = self.walk(operand)?;
                self.below(keys, field, &expr.at)
            }
            Node::Index(operand, index) => {
                let keys = self.walk(operand)?;
                self.walk(index)?;
                match &index.node {
                    Node::Text(key) => self.below(keys, key, &expr.at),
                    _ => Ok(keys.map(element)),
                }
            }
            Node::List(items) => self.all(items),
            Node::Not(operand) | Node::Negate(operand) => self.walk(operand).map(|_| None),
            Node::And(left, right) | Node::Or(left, right) | Node::Binary(_, left, right) => {
                self.walk(left)?;
                self.walk(right).map(|_| None)
            }
            Node::Choose(condition, yes, no) => {
                self.walk(condition)?;
                self.walk(yes)?;
                self.walk(no).map(|_| None)
            }
            Node::Call(function, args) => {
                self.all(args)?;
                if *function == Function::Get {
                    check_path(args)?;
                }
                Ok(None)
            }
            Node::Fold(fold) => {
                let keys = self.walk(&fold.over)?;
                self.folds += 1;
                if self.folds > limits::COMPREHENSIONS {
                    let message = format!(
                        "all, exists, map and filter are nested more than {} deep",
                        limits::COMPREHENSIONS
                    );
                    return Err(ExpressionError::new(BAD_EXPRESSION, message, expr.at.clone()));
                }
                // Over an object a fold runs through its keys, which are text.
                let item = keys.filter(|keys| is_list(keys)).map(element);
                let outer = self.variables.len();
                self.walk(&fold.start)?;
                self.variables.push((ACCUMULATOR.to_owned(), None));
                self.variables.push((fold.item.to_string(), item));
                self.walk(&fold.goes_on)?;
                self.walk(&fold.step)?;
                self.variables.truncate(outer + 1);
                self.walk(&fold.result)?;
                self.variables.truncate(outer);
                self.folds -= 1;
                Ok(None)
            }
        }
    }

    fn all(&mut self, parts: &[Expr]) -> Result<Keys, Box<ExpressionError>> {
        for part in parts {
            self.walk(part)?;
        }
        Ok(None)
    }

    fn name(&mut self, name: &str, at: &Range<usize>) -> Result<Keys, Box<ExpressionError>> {
        if let Some((_, keys)) = self.variables.iter().rev().find(|(known, _)| known == name) {
            return Ok(keys.clone());
        }
        let names: &[&str] = match self.scope {
            Scope::Rule => &["candidate", "baseline", "stage", "now"],
            Scope::When => &["candidate", "now"],
            Scope::Where => &["candidate"],
        };
        if name == "stage" && self.scope == Scope::When {
            return Err(ExpressionError::new(UNKNOWN_NAME, "`when` can't use the stage", at.clone())
                .help("use `stages: [production]` instead"));
        }
        if names.contains(&name) {
            self.reads_baseline |= name == "baseline";
            let of_a_run = matches!(name, "candidate" | "baseline");
            return Ok(of_a_run.then(Vec::new));
        }
        if self.scope == Scope::Where && known_fields().any(|known| known == name) {
            return Ok(Some(vec![name.to_owned()]));
        }
        let error = ExpressionError::new(UNKNOWN_NAME, format!("there is no `{name}`"), at.clone());
        if known_fields().any(|known| known == name) {
            return Err(error.help(format!("write `candidate.{name}`")));
        }
        Err(error.help(did_you_mean(name, names, "the names are")))
    }

    fn below(&self, keys: Keys, field: &str, at: &Range<usize>) -> Result<Keys, Box<ExpressionError>> {
        let Some(mut keys) = keys else { return Ok(None) };
        if self.scope == Scope::When && keys.is_empty() && field == "model" {
            return Err(ExpressionError::new(UNKNOWN_NAME, "`when` can't use the model", at.clone())
                .help("use `models: [churn]` instead"));
        }
        let known: Vec<&str> = keys.iter().map(String::as_str).collect();
        let error = |message: String, help: String| {
            Err(ExpressionError::new(UNKNOWN_NAME, message, at.clone()).help(help))
        };
        match fields_below(&known) {
            Names::Any => return Ok(None),
            Names::These(names) if !names.contains(&field) => {
                let of =
                    if keys.is_empty() { "a run record".to_owned() } else { format!("`{}`", keys.join(".")) };
                let path =
                    if keys.is_empty() { field.to_owned() } else { format!("{}.{field}", keys.join(".")) };
                let near = did_you_mean(field, &names, "its fields are");
                return error(
                    format!("{of} has no field `{field}`"),
                    format!("{near} For other fields of a record, use `get(candidate, \"{path}\")`"),
                );
            }
            Names::None => {
                return error(
                    format!("`{}` is a single value, without a field `{field}`", keys.join(".")),
                    "compare it as it is".to_owned(),
                );
            }
            Names::Unknown => {
                return error(
                    format!("`{}` is a list", keys.join(".")),
                    "use `exists`, `all`, or an index".to_owned(),
                );
            }
            Names::These(_) => {}
        }
        keys.push(field.to_owned());
        Ok(Some(keys))
    }
}

fn element(mut keys: Vec<String>) -> Vec<String> {
    keys.push("[]".to_owned());
    keys
}

fn is_list(keys: &[String]) -> bool {
    matches!(keys, [only] if only == "data" || only == "artifacts")
}

/// Checks the path that `get` takes, if it is a literal.
fn check_path(args: &[Expr]) -> Result<(), Box<ExpressionError>> {
    let Some(Expr { node: Node::Text(path), at }) = args.get(1) else { return Ok(()) };
    let path = FieldPath::parse(path).map_err(|error| {
        ExpressionError::new(BAD_EXPRESSION, format!("not a path: {}", error.message), at.clone())
    })?;
    if path.steps().iter().any(|step| matches!(step, Step::Each | Step::Where { .. })) {
        let help = format!("use {} on the list", listed(&["exists", "all"]));
        return Err(
            ExpressionError::new(BAD_EXPRESSION, "a path here must name one value", at.clone()).help(help)
        );
    }
    Ok(())
}
