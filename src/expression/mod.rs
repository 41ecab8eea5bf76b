//! Expressions of the Common Expression Language, for what no kind of rule says.
//!
//! The grammar is CEL's, read by the `cel` crate's parser. The evaluator is ours, since that crate's computes in
//! binary floating point, lets `||` and `&&` swallow errors, knows no bound on cost, and has no check of names:
//! `!has(candidate.metrcs) || …` would hold for ever. Here numbers are exact decimals, an error is an error wherever
//! it is reached, text never equals a number, every name is checked against the record's schema when the policy is
//! loaded, and an evaluation costs a bounded number of steps, the same on every machine.

mod check;
mod evaluate;
mod functions;
mod parse;
mod value;

use std::ops::Range;

use jiff::Timestamp;

use crate::code::codes;
use crate::run::{Decimal, Run};

pub use value::Val;

codes! {
    BAD_EXPRESSION = "expr/invalid": "An expression is not valid CEL, or is too complex.";
    UNKNOWN_NAME = "expr/unknown-name": "A name in an expression that no run record has.";
    NOT_A_CONDITION = "expr/not-a-condition": "The result of an expression is not true or false.";
}

/// What an expression may cost.
mod limits {
    /// Bytes of the source.
    pub(super) const SOURCE_BYTES: usize = 4 << 10;
    /// Tokens of the source, counted before it is parsed.
    pub(super) const TOKENS: usize = 1_000;
    /// Brackets within each other.
    pub(super) const NESTING: usize = 32;
    /// Levels of the parsed expression: `1 + 1 + …` is as deep as it is long.
    pub(super) const DEPTH: usize = 250;
    /// `all`, `exists`, `map`, `filter` within each other.
    pub(super) const COMPREHENSIONS: usize = 2;
    /// Steps of one evaluation.
    pub(super) const STEPS: u32 = 200_000;
    /// Bytes of a text that is put together.
    pub(super) const TEXT_BYTES: usize = 64 << 10;
}

/// Which names an expression may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `expr`: candidate, baseline, stage, now.
    Rule,
    /// `when`: candidate, now. What `stages` and `models` can say, they say.
    When,
    /// `where`: candidate, whose fields are names by themselves as well.
    Where,
}

/// A condition that was read, checked, and can be evaluated for any number of runs.
#[derive(Debug, Clone)]
pub struct Expression {
    source: Box<str>,
    root: Expr,
    scope: Scope,
    reads_baseline: bool,
}

/// What an expression may read.
#[derive(Clone, Copy)]
pub struct Bindings<'r> {
    /// The run being judged.
    pub candidate: &'r Run,
    /// The run that it is compared with.
    pub baseline: Option<&'r Run>,
    /// The stage that was asked for.
    pub stage: Option<&'r str>,
    /// The decision's clock.
    pub now: Timestamp,
}

/// What is wrong with an expression, and at which bytes of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    /// Its stable name.
    pub code: crate::code::Code,
    /// What is wrong.
    pub message: String,
    /// Where in the source.
    pub at: Range<usize>,
    /// What to do.
    pub help: Option<String>,
}

impl ExpressionError {
    fn new(code: crate::code::Code, message: impl Into<String>, at: Range<usize>) -> Box<Self> {
        Box::new(Self { code, message: message.into(), at, help: None })
    }

    fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help = Some(help.into());
        self
    }
}

/// Why an expression gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationError {
    /// What went wrong.
    pub message: String,
    /// The part of the expression in which it did.
    pub part: String,
    /// What sort of fault it is.
    pub fault: Fault,
}

/// What sort of fault keeps an expression from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It reads a field that the run does not have, or elements where there are none.
    Absent,
    /// Anything else.
    Other,
}

impl Expression {
    /// Reads an expression and checks every name in it.
    pub fn compile(source: &str, scope: Scope) -> Result<Self, Box<ExpressionError>> {
        check::cost(source)?;
        let root = parse::parse(source)?;
        let reads_baseline = check::names(&root, scope)?;
        Ok(Self { source: source.into(), root, scope, reads_baseline })
    }

    /// The source text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it reads the baseline.
    pub fn reads_baseline(&self) -> bool {
        self.reads_baseline
    }

    /// Whether the condition holds: only the boolean `true` does.
    pub fn holds(&self, bindings: &Bindings<'_>) -> Result<bool, EvaluationError> {
        let value = evaluate::run(&self.root, &self.source, bindings, self.scope)?;
        match value {
            Val::Bool(holds) => Ok(holds),
            other => Err(EvaluationError {
                message: format!("the answer is {}, not true or false", other.sort()),
                part: self.source.to_string(),
                fault: Fault::Other,
            }),
        }
    }
}

/// A parsed expression, with the bytes of the source that each part has.
#[derive(Debug, Clone)]
struct Expr {
    node: Node,
    at: Range<usize>,
}

#[derive(Debug, Clone)]
enum Node {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(Box<str>),
    Name(Box<str>),
    /// `operand.field`
    Field(Box<Expr>, Box<str>),
    /// `has(operand.field)`
    Has(Box<Expr>, Box<str>),
    /// `operand[index]`
    Index(Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Choose(Box<Expr>, Box<Expr>, Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// A function with its arguments; the receiver of a method comes first.
    Call(functions::Function, Vec<Expr>),
    Fold(Box<Fold>),
}

/// `all`, `exists`, `exists_one`, `map` and `filter`, as CEL's macros expand them.
#[derive(Debug, Clone)]
struct Fold {
    over: Expr,
    item: Box<str>,
    start: Expr,
    goes_on: Expr,
    step: Expr,
    result: Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    In,
}

/// The variable in which a fold keeps what it has so far.
const ACCUMULATOR: &str = "@result";

#[cfg(test)]
mod tests;
