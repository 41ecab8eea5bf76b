//! Turns CEL, as the `cel` crate parses it, into our own tree with exact literals.

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue, SourceInfo, operators as op};
use cel::parser::Parser;

use super::functions::Function;
use super::{BAD_EXPRESSION, Expr, ExpressionError, Fold, Node, Operator, Range, limits};
use crate::document::did_you_mean;
use crate::run::Decimal;

pub(super) fn parse(source: &str) -> Result<Expr, Box<ExpressionError>> {
    let (root, positions) = Parser::default().parse_with_source_info(source).map_err(|errors| {
        let Some(first) = errors.errors.first() else {
            return ExpressionError::new(BAD_EXPRESSION, "not CEL", 0..source.len());
        };
        let at = byte_of(source, first.pos);
        let message = first.msg.trim_start_matches("Syntax error: ");
        let message = message.split(" expecting ").next().unwrap_or(message);
        ExpressionError::new(
            BAD_EXPRESSION,
            format!("not CEL: {message}"),
            at..(at + 1).min(source.len()).max(at),
        )
    })?;
    Lowering { source, positions: &positions }.expr(&root, 0)
}

/// The byte at a line and a column, both counted from 1.
fn byte_of(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &source[start.min(source.len())..];
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

struct Lowering<'s> {
    source: &'s str,
    positions: &'s SourceInfo,
}

impl Lowering<'_> {
    fn expr(&self, from: &IdedExpr, depth: usize) -> Result<Expr, Box<ExpressionError>> {
        let token = self.token(from);
        if depth > limits::DEPTH {
            let message = format!("the expression nests more than {} levels", limits::DEPTH);
            return Err(ExpressionError::new(BAD_EXPRESSION, message, token));
        }
        let below = |inner: &IdedExpr| self.expr(inner, depth + 1).map(Box::new);
        let (node, at) = match &from.expr {
            Cel::Literal(literal) => (self.literal(literal, &token)?, token),
            Cel::Ident(name) => (Node::Name(name.as_str().into()), token),
            Cel::Select(select) => {
                let operand = below(&select.operand)?;
                let at = operand.at.start..self.field_end(token.end, &select.field);
                let field = select.field.as_str().into();
                (if select.test { Node::Has(operand, field) } else { Node::Field(operand, field) }, at)
            }
            Cel::List(list) => {
                let items =
                    list.elements.iter().map(|item| self.expr(item, depth + 1)).collect::<Result<_, _>>()?;
                (Node::List(items), token)
            }
            Cel::Call(call) => return self.call(call, token, depth),
            Cel::Comprehension(fold) => {
                let over = self.expr(&fold.iter_range, depth + 1)?;
                let at = over.at.start..token.end;
                let fold = Fold {
                    over,
                    item: fold.iter_var.as_str().into(),
                    start: self.expr(&fold.accu_init, depth + 1)?,
                    goes_on: self.expr(&fold.loop_cond, depth + 1)?,
                    step: self.expr(&fold.loop_step, depth + 1)?,
                    result: self.expr(&fold.result, depth + 1)?,
                };
                (Node::Fold(Box::new(fold)), at)
            }
            Cel::Map(_) | Cel::Struct(_) | Cel::Unspecified => {
                let message = "objects can't be created here";
                return Err(ExpressionError::new(BAD_EXPRESSION, message, token));
            }
        };
        Ok(Expr { node, at })
    }

    fn call(&self, call: &CallExpr, token: Range<usize>, depth: usize) -> Result<Expr, Box<ExpressionError>> {
        let mut args: Vec<Expr> = call
            .target
            .iter()
            .map(|target| &**target)
            .chain(&call.args)
            .map(|arg| self.expr(arg, depth + 1))
            .collect::<Result<_, _>>()?;
        let start = args.iter().map(|arg| arg.at.start).fold(token.start, usize::min);
        let end = args.iter().map(|arg| arg.at.end).fold(token.end, usize::max);
        let start = self.name_start(start, &call.func_name);
        let at = start..self.closed(end, token.start, &call.func_name);
        let mut next = || Box::new(if args.is_empty() { unspecified() } else { args.remove(0) });
        let binary = |operator| (operator, ());
        let node = match call.func_name.as_str() {
            op::LOGICAL_AND => Node::And(next(), next()),
            op::LOGICAL_OR => Node::Or(next(), next()),
            op::CONDITIONAL => Node::Choose(next(), next(), next()),
            op::LOGICAL_NOT => Node::Not(next()),
            op::NEGATE => Node::Negate(next()),
            op::INDEX => Node::Index(next(), next()),
            // A fold checks this before each step: whether the answer is still open.
            op::NOT_STRICTLY_FALSE => return Ok(Expr { node: next().node, at }),
            name => {
                let operator = match name {
                    op::EQUALS => Some(binary(Operator::Equal)),
                    op::NOT_EQUALS => Some(binary(Operator::NotEqual)),
                    op::LESS => Some(binary(Operator::Less)),
                    op::LESS_EQUALS => Some(binary(Operator::LessOrEqual)),
                    op::GREATER => Some(binary(Operator::Greater)),
                    op::GREATER_EQUALS => Some(binary(Operator::GreaterOrEqual)),
                    op::ADD => Some(binary(Operator::Add)),
                    op::SUBSTRACT => Some(binary(Operator::Subtract)),
                    op::MULTIPLY => Some(binary(Operator::Multiply)),
                    op::DIVIDE => Some(binary(Operator::Divide)),
                    op::IN => Some(binary(Operator::In)),
                    _ => None,
                };
                match operator {
                    Some((operator, ())) => Node::Binary(operator, next(), next()),
                    None => Node::Call(self.function(name, args.len(), &at)?, args),
                }
            }
        };
        Ok(Expr { node, at })
    }

    fn function(&self, name: &str, args: usize, at: &Range<usize>) -> Result<Function, Box<ExpressionError>> {
        let Some(function) = Function::named(name) else {
            let names: Vec<&str> = Function::ALL.iter().map(|(name, ..)| *name).collect();
            let shown = if name.starts_with(['_', '@', '-', '!']) {
                self.source.get(at.clone()).unwrap_or(name)
            } else {
                name
            };
            return Err(ExpressionError::new(
                BAD_EXPRESSION,
                format!("there is no function `{shown}`"),
                at.clone(),
            )
            .help(did_you_mean(name, &names, "the functions are")));
        };
        if args != function.arity() {
            let message = format!("`{name}` takes {} values, but has {args} here", function.arity());
            return Err(ExpressionError::new(BAD_EXPRESSION, message, at.clone()).help(function.usage()));
        }
        Ok(function)
    }

    fn literal(&self, literal: &LiteralValue, at: &Range<usize>) -> Result<Node, Box<ExpressionError>> {
        let written = self.source.get(at.clone()).unwrap_or_default();
        // The parser's value is rounded, so read the decimal from the source. A sign may precede the token.
        let number = |value: String| {
            let exact = if written.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && !written.starts_with("0x")
            {
                let unsigned = written.trim_end_matches(['u', 'U']);
                if value.starts_with('-') { format!("-{unsigned}") } else { unsigned.to_owned() }
            } else {
                value
            };
            Decimal::parse(&exact).map(Node::Number).map_err(|fault| {
                ExpressionError::new(BAD_EXPRESSION, format!("`{exact}` is {fault}"), at.clone())
            })
        };
        match literal {
            LiteralValue::Null => Ok(Node::Null),
            LiteralValue::Boolean(value) => Ok(Node::Bool(*value.inner())),
            LiteralValue::String(text) => Ok(Node::Text(text.inner().into())),
            LiteralValue::Int(value) => number(value.inner().to_string()),
            LiteralValue::UInt(value) => number(value.inner().to_string()),
            LiteralValue::Double(value) => number(value.inner().to_string()),
            LiteralValue::Bytes(_) => {
                Err(ExpressionError::new(BAD_EXPRESSION, "bytes are not supported here", at.clone()))
            }
        }
    }

    fn token(&self, expr: &IdedExpr) -> Range<usize> {
        let (start, stop) = self.positions.offset_for(expr.id).unwrap_or((0, 0));
        let start = (start as usize).min(self.source.len());
        start..(stop as usize + 1).clamp(start, self.source.len())
    }

    /// The end of the field after a dot.
    fn field_end(&self, dot: usize, field: &str) -> usize {
        self.source.get(dot..).and_then(|rest| rest.find(field)).map_or(dot, |at| dot + at + field.len())
    }

    /// The start of a function's name before its bracket.
    fn name_start(&self, start: usize, name: &str) -> usize {
        let before = self.source.get(..start).unwrap_or_default().trim_end();
        if before.ends_with(name) { before.len() - name.len() } else { start }
    }

    /// The end of a call, including its closing bracket.
    fn closed(&self, end: usize, token: usize, name: &str) -> usize {
        let opened = self.source.get(token..=token) == Some("(") || name == op::INDEX;
        let rest = self.source.get(end..).unwrap_or_default();
        match rest.find([')', ']']) {
            Some(at) if opened && rest[..at].trim().is_empty() => end + at + 1,
            _ => end,
        }
    }
}

/// A placeholder for an operand that the parser's tree lacks, which never happens.
fn unspecified() -> Expr {
    Expr { node: Node::Null, at: 0..0 }
}
