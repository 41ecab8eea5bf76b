//! Hyperparameters, which TensorBoard's `hparams` plugin stores in the metadata of a summary: `HParamsPluginData`.

use crate::document::{Node, Value};
use crate::source::cases::number;
use crate::source::wire::{Message, NotAMessage};

/// What the plugin records about a session, which is one training.
#[derive(Debug)]
pub(super) enum Session {
    /// It started with these values.
    Start(Vec<(String, Node)>),
    /// It ended with this status.
    End(&'static str),
}

/// Field numbers.
const START: u64 = 3;
const END: u64 = 4;
const START_VALUES: u64 = 1;
const END_STATUS: u64 = 1;
const ENTRY_KEY: u64 = 1;
const ENTRY_VALUE: u64 = 2;

/// Reads what the plugin wrote about a session; data about a whole experiment is ignored.
pub(super) fn session(data: Message<'_>) -> Result<Option<Session>, NotAMessage> {
    if let Some(start) = data.message(START)? {
        let mut values = Vec::new();
        for entry in start.messages(START_VALUES)? {
            let value = match entry.message(ENTRY_VALUE)? {
                Some(value) => of(value)?,
                None => None,
            };
            if let (Some(key), Some(value)) = (entry.text(ENTRY_KEY)?, value) {
                values.push((key, Node::made(value)));
            }
        }
        // Maps are unordered on the wire.
        values.sort_by(|one, other| one.0.cmp(&other.0));
        return Ok(Some(Session::Start(values)));
    }
    let Some(end) = data.message(END)? else { return Ok(None) };
    Ok(match end.number(END_STATUS)? {
        1 => Some(Session::End("finished")),
        2 => Some(Session::End("failed")),
        3 => Some(Session::End("running")),
        _ => None,
    })
}

/// `google.protobuf.Value`: a number, a string or a boolean.
fn of(value: Message<'_>) -> Result<Option<Value>, NotAMessage> {
    if let Some(double) = value.double(2)? {
        let is_whole = double.fract() == 0.0 && double.abs() < 1e15;
        return Ok(Some(if is_whole {
            Value::Number(format!("{double:.0}").into())
        } else {
            number(double)
        }));
    }
    if let Some(text) = value.text(3)? {
        return Ok(Some(Value::String(text.into())));
    }
    Ok(value.numbers(4)?.pop().map(|truth| Value::Bool(truth != 0)))
}
