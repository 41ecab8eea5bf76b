//! Evaluation: left to right, every error kept, every step counted.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;

use super::value::Val;
use super::{ACCUMULATOR, Bindings, EvaluationError, Expr, Fault, Fold, Node, Operator, Scope, limits};
use crate::run::Moment;

pub(super) fn run<'r>(
    root: &Expr,
    source: &str,
    bindings: &Bindings<'r>,
    scope: Scope,
) -> Result<Val<'r>, EvaluationError> {
    Evaluation { source, bindings, scope, variables: Vec::new(), steps: 0 }.value(root)
}

struct Evaluation<'e, 'r> {
    source: &'e str,
    bindings: &'e Bindings<'r>,
    scope: Scope,
    variables: Vec<(&'e str, Val<'r>)>,
    steps: u32,
}

impl<'e, 'r> Evaluation<'e, 'r> {
    fn value(&mut self, expr: &'e Expr) -> Result<Val<'r>, EvaluationError> {
        self.step(expr)?;
        match &expr.node {
            Node::Null => Ok(Val::Null),
            Node::Bool(value) => Ok(Val::Bool(*value)),
            Node::Number(value) => Ok(Val::Number(value.clone())),
            Node::Text(text) => Ok(Val::Text(Cow::Owned(text.to_string()))),
            Node::Name(name) => self.name(expr, name),
            Node::Field(operand, field) => {
                let operand = self.value(operand)?;
                operand.field(field).ok_or_else(|| self.absent(expr, &operand, field))
            }
            Node::Has(operand, field) => Ok(Val::Bool(self.value(operand)?.has(field))),
            Node::Index(operand, index) => {
                let (operand, index) = (self.value(operand)?, self.value(index)?);
                self.index(expr, &operand, &index)
            }
            Node::List(items) => {
                items.iter().map(|item| self.value(item)).collect::<Result<_, _>>().map(Val::List)
            }
            Node::Not(operand) => Ok(Val::Bool(!self.truth(operand)?)),
            Node::Negate(operand) => match self.value(operand)? {
                Val::Number(value) => Ok(Val::Number(value.negated())),
                other => Err(self.error(expr, format!("{} has no opposite", other.sort()))),
            },
            Node::And(left, right) => Ok(Val::Bool(self.truth(left)? && self.truth(right)?)),
            Node::Or(left, right) => Ok(Val::Bool(self.truth(left)? || self.truth(right)?)),
            Node::Choose(condition, yes, no) => {
                if self.truth(condition)? {
                    self.value(yes)
                } else {
                    self.value(no)
                }
            }
            Node::Binary(operator, left, right) => self.binary(expr, *operator, left, right),
            Node::Call(function, args) => {
                let args = args.iter().map(|arg| self.value(arg)).collect::<Result<Vec<_>, _>>()?;
                function.call(&args).map_err(|message| self.error(expr, message))
            }
            Node::Fold(fold) => self.fold(fold),
        }
    }

    fn truth(&mut self, expr: &'e Expr) -> Result<bool, EvaluationError> {
        match self.value(expr)? {
            Val::Bool(value) => Ok(value),
            other => Err(self.error(expr, format!("this is {}, not true or false", other.sort()))),
        }
    }

    fn name(&self, expr: &Expr, name: &str) -> Result<Val<'r>, EvaluationError> {
        if let Some((_, value)) = self.variables.iter().rev().find(|(known, _)| *known == name) {
            return Ok(value.clone());
        }
        match name {
            "candidate" => Ok(Val::Run(self.bindings.candidate)),
            "baseline" => self
                .bindings
                .baseline
                .map(Val::Run)
                .ok_or_else(|| self.error(expr, "there is no baseline".into())),
            "stage" => Ok(self.bindings.stage.map_or(Val::Null, |stage| Val::Text(Cow::Borrowed(stage)))),
            "now" => Ok(Val::Time(Moment { at: self.bindings.now, zone_assumed: false })),
            _ if self.scope == Scope::Where => {
                let candidate = Val::Run(self.bindings.candidate);
                candidate.field(name).ok_or_else(|| self.absent(expr, &candidate, name))
            }
            _ => Err(self.error(expr, format!("there is no `{name}`"))),
        }
    }

    fn index(&self, expr: &Expr, operand: &Val<'r>, index: &Val<'r>) -> Result<Val<'r>, EvaluationError> {
        match index {
            Val::Text(key) => operand.field(key).ok_or_else(|| self.absent(expr, operand, key)),
            Val::Number(number) => {
                let index = number.written().parse().ok();
                index
                    .and_then(|index| operand.element(index))
                    .ok_or_else(|| self.missing(expr, format!("there is no element {number}")))
            }
            other => Err(self.error(expr, format!("{} can't be used as an index", other.sort()))),
        }
    }

    fn binary(
        &mut self,
        expr: &'e Expr,
        operator: Operator,
        left: &'e Expr,
        right: &'e Expr,
    ) -> Result<Val<'r>, EvaluationError> {
        let left = match (&left.node, operator) {
            // A fold's step replaces the accumulator, so move it instead of copying it.
            (Node::Name(name), Operator::Add) if &**name == ACCUMULATOR => self.take_accumulator(),
            _ => self.value(left)?,
        };
        let right = self.value(right)?;
        let wrong = |message: String| self.error(expr, message);
        match operator {
            Operator::Equal => left.equals(&right).map(Val::Bool).map_err(wrong),
            Operator::NotEqual => left.equals(&right).map(|same| Val::Bool(!same)).map_err(wrong),
            Operator::Less => {
                left.order(&right).map(|order| Val::Bool(order == Ordering::Less)).map_err(wrong)
            }
            Operator::LessOrEqual => {
                left.order(&right).map(|order| Val::Bool(order != Ordering::Greater)).map_err(wrong)
            }
            Operator::Greater => {
                left.order(&right).map(|order| Val::Bool(order == Ordering::Greater)).map_err(wrong)
            }
            Operator::GreaterOrEqual => {
                left.order(&right).map(|order| Val::Bool(order != Ordering::Less)).map_err(wrong)
            }
            Operator::In => contains(&right, &left).map(Val::Bool).map_err(wrong),
            Operator::Add => add(left, right).map_err(wrong),
            Operator::Subtract => subtract(&left, &right).map_err(wrong),
            Operator::Multiply => match (&left, &right) {
                (Val::Number(one), Val::Number(other)) => bounded(one.times(other)).map_err(wrong),
                _ => Err(wrong(not_numbers(&left, &right))),
            },
            Operator::Divide => match (&left, &right) {
                (Val::Number(one), Val::Number(other)) => {
                    one.divided_by(other).map(Val::Number).ok_or_else(|| wrong("this divides by zero".into()))
                }
                _ => Err(wrong(not_numbers(&left, &right))),
            },
        }
    }

    fn take_accumulator(&mut self) -> Val<'r> {
        let found = self.variables.iter_mut().rev().find(|(name, _)| *name == ACCUMULATOR);
        found.map_or(Val::Null, |(_, value)| std::mem::replace(value, Val::Null))
    }

    fn fold(&mut self, fold: &'e Fold) -> Result<Val<'r>, EvaluationError> {
        let over = self.value(&fold.over)?;
        let Some(items) = over.elements() else {
            return Err(self.error(&fold.over, format!("{} has no elements", over.sort())));
        };
        // `all` of nothing would be true, but a value that was not recorded must not pass.
        let is_all = matches!(fold.start.node, Node::Bool(true));
        if items.is_empty() && (is_all || matches!(over, Val::Metrics(_))) {
            let message =
                if matches!(over, Val::Metrics(_)) { "there are no metrics" } else { "the list is empty" };
            return Err(self.missing(&fold.over, message.into()));
        }
        let start = self.value(&fold.start)?;
        let outer = self.variables.len();
        self.variables.push((ACCUMULATOR, start));
        for item in items {
            if !self.truth(&fold.goes_on)? {
                break;
            }
            self.variables.push((&fold.item, item));
            let next = self.value(&fold.step)?;
            self.variables.truncate(outer + 1);
            self.variables[outer].1 = next;
        }
        let result = self.value(&fold.result);
        self.variables.truncate(outer);
        result
    }

    fn step(&mut self, expr: &Expr) -> Result<(), EvaluationError> {
        self.steps += 1;
        if self.steps <= limits::STEPS {
            return Ok(());
        }
        Err(self.error(expr, format!("this takes more than {} steps", limits::STEPS)))
    }

    fn absent(&self, expr: &Expr, operand: &Val<'r>, field: &str) -> EvaluationError {
        let known: Vec<&str> = match operand {
            Val::Metrics(run) => run.metrics().map(|metric| metric.name).collect(),
            Val::Map(map) => map.keys().collect(),
            _ => Vec::new(),
        };
        let near = crate::document::nearest(field, known).map(|near| format!("; there is `{near}`"));
        self.missing(expr, format!("there is no `{field}`{}", near.unwrap_or_default()))
    }

    fn missing(&self, expr: &Expr, message: String) -> EvaluationError {
        EvaluationError { fault: Fault::Absent, ..self.error(expr, message) }
    }

    fn error(&self, expr: &Expr, message: String) -> EvaluationError {
        let part = self.source.get(expr.at.clone()).unwrap_or_default().to_owned();
        EvaluationError { message, part, fault: Fault::Other }
    }
}

fn contains(whole: &Val<'_>, part: &Val<'_>) -> Result<bool, String> {
    match (whole, part) {
        (Val::Map(_) | Val::Metrics(_) | Val::Nothing, Val::Text(key)) => Ok(whole.field(key).is_some()),
        (Val::List(_) | Val::Items(_), _) => {
            for item in whole.elements().unwrap_or_default() {
                if item.equals(part)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Err(format!("{} can't be in {}", part.sort(), whole.sort())),
    }
}

fn add<'r>(left: Val<'r>, right: Val<'r>) -> Result<Val<'r>, String> {
    match (left, right) {
        (Val::Number(one), Val::Number(other)) => bounded(one.plus(&other)),
        (Val::Text(one), Val::Text(other)) if one.len() + other.len() <= limits::TEXT_BYTES => {
            Ok(Val::Text(Cow::Owned(format!("{one}{other}"))))
        }
        (Val::Text(_), Val::Text(_)) => Err(format!("the text has more than {} bytes", limits::TEXT_BYTES)),
        (Val::Time(time), Val::Duration(by)) | (Val::Duration(by), Val::Time(time)) => {
            moved(time, time.at.checked_add(by))
        }
        (Val::List(mut one), Val::List(other)) => {
            one.extend(other);
            Ok(Val::List(one))
        }
        (left, right) => match (left.elements(), right.elements()) {
            (Some(mut one), Some(other)) => {
                one.extend(other);
                Ok(Val::List(one))
            }
            _ => Err(not_numbers(&left, &right)),
        },
    }
}

fn subtract<'r>(left: &Val<'r>, right: &Val<'r>) -> Result<Val<'r>, String> {
    match (left, right) {
        (Val::Number(one), Val::Number(other)) => bounded(one.minus(other)),
        (Val::Time(one), Val::Time(other)) => Ok(Val::Duration(one.at.duration_since(other.at))),
        (Val::Time(time), Val::Duration(by)) => moved(*time, time.at.checked_sub(*by)),
        _ => Err(not_numbers(left, right)),
    }
}

fn moved<'r>(time: Moment, to: Result<Timestamp, jiff::Error>) -> Result<Val<'r>, String> {
    to.map(|at| Val::Time(Moment { at, ..time })).map_err(|_| "the time is out of range".into())
}

/// A result may grow with every step, so numbers longer than any measurement are refused early.
fn bounded<'r>(value: crate::run::Decimal) -> Result<Val<'r>, String> {
    if value.written().len() > 4 * crate::run::Decimal::MAX_DIGITS {
        return Err("the number has too many digits".into());
    }
    Ok(Val::Number(value))
}

fn not_numbers(left: &Val<'_>, right: &Val<'_>) -> String {
    match (left, right) {
        (Val::NoNumber(why), _) | (_, Val::NoNumber(why)) => format!("the value {why}"),
        _ => format!("this can't be computed from {} and {}", left.sort(), right.sort()),
    }
}
