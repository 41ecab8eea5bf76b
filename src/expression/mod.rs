//! Expressions of the Common Expression Language, for conditions that no kind of rule covers.
//!
//! The grammar is CEL's, parsed by the `cel` crate. The evaluator is ours, since that crate's computes in
//! binary floating point, lets `||` and `&&` swallow errors, has no limit on cost, and does not check names:
//! `!has(candidate.metrcs) || …` would always be true. Here numbers are exact decimals, an error is an error
//! wherever it is reached, text never equals a number, every name is checked against the record's schema when
//! the policy is loaded, and an evaluation costs a bounded number of steps, the same on every machine.

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
    UNKNOWN_NAME = "expr/unknown-name": "An expression uses a name that no run record has.";
    NOT_A_CONDITION = "expr/not-a-condition": "The result of an expression is not true or false.";
}

/// Limits on the cost of an expression.
mod limits {
    /// Bytes of the source.
    pub(super) const SOURCE_BYTES: usize = 4 << 10;
    /// Tokens of the source, counted before it is parsed.
    pub(super) const TOKENS: usize = 1_000;
    /// Nesting depth of brackets.
    pub(super) const NESTING: usize = 32;
    /// Levels of the parsed expression: `1 + 1 + …` is as deep as it is long.
    pub(super) const DEPTH: usize = 250;
    /// Nesting depth of `all`, `exists`, `map` and `filter`.
    pub(super) const COMPREHENSIONS: usize = 2;
    /// Steps of one evaluation.
    pub(super) const STEPS: u32 = 200_000;
    /// Bytes of a text that an expression builds.
    pub(super) const TEXT_BYTES: usize = 64 << 10;
}

/// Which names an expression may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `expr`: candidate, baseline, stage, now.
    Rule,
    /// `when`: candidate, now. `stages` and `models` narrow a rule by stage and model.
    When,
    /// `where`: candidate, whose fields can also be named without it.
    Where,
}

/// A parsed and checked condition, which can be evaluated for any number of runs.
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
    /// The part of the expression where it went wrong.
    pub part: String,
    /// The kind of fault.
    pub fault: Fault,
}

/// The kind of fault that prevents an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It reads a field that the run does not have, or the elements of an empty list.
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

    /// Whether the condition is true. A result other than `true` or `false` is an error.
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

/// A parsed expression, and where it is in the source.
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

/// The variable in which a fold accumulates its result.
const ACCUMULATOR: &str = "@result";

#[cfg(test)]
mod tests;
