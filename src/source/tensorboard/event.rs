//! The parts of an event that are read: scalars, texts, hyperparameters, and whether a writer was opened.

use super::hparams::{self, Session};
use crate::source::wire::{Message, NotAMessage};

/// Field numbers in TensorFlow's `Event`, `Summary.Value`, `SummaryMetadata` and `TensorProto`.
mod field {
    pub(super) const EVENT_TIME: u64 = 1;
    pub(super) const EVENT_STEP: u64 = 2;
    pub(super) const EVENT_SUMMARY: u64 = 5;
    pub(super) const EVENT_SESSION: u64 = 7;
    pub(super) const SESSION_STATUS: u64 = 1;
    pub(super) const SUMMARY_VALUE: u64 = 1;
    pub(super) const VALUE_TAG: u64 = 1;
    pub(super) const VALUE_SIMPLE: u64 = 2;
    pub(super) const VALUE_TENSOR: u64 = 8;
    pub(super) const VALUE_METADATA: u64 = 9;
    pub(super) const METADATA_PLUGIN: u64 = 1;
    pub(super) const PLUGIN_NAME: u64 = 1;
    pub(super) const PLUGIN_CONTENT: u64 = 2;
    pub(super) const TENSOR_TYPE: u64 = 1;
    pub(super) const TENSOR_CONTENT: u64 = 4;
    pub(super) const TENSOR_FLOATS: u64 = 5;
    pub(super) const TENSOR_DOUBLES: u64 = 6;
    pub(super) const TENSOR_INTEGERS: u64 = 7;
    pub(super) const TENSOR_TEXTS: u64 = 8;
    pub(super) const TENSOR_LONGS: u64 = 10;
}

/// `SessionLog.START`: a writer was opened, perhaps to continue from an earlier step.
const START: i64 = 1;

/// Tensor types that can hold one number.
mod kind {
    pub(super) const FLOAT: i64 = 1;
    pub(super) const DOUBLE: i64 = 2;
    pub(super) const INTEGER: i64 = 3;
    pub(super) const TEXT: i64 = 7;
    pub(super) const LONG: i64 = 9;
}

/// An event.
#[derive(Debug, Default)]
pub(super) struct Event {
    /// Seconds since 1970.
    pub(super) time: Option<f64>,
    pub(super) step: i64,
    /// The writer continues from this step.
    pub(super) restarts: bool,
    pub(super) values: Vec<(String, Logged)>,
}

/// The value logged under a tag.
#[derive(Debug)]
pub(super) enum Logged {
    Single(f32),
    Double(f64),
    Whole(i64),
    Text(String),
    Session(Session),
}

/// Reads an event.
pub(super) fn event(payload: &[u8]) -> Result<Event, NotAMessage> {
    let message = Message(payload);
    let session = message.message(field::EVENT_SESSION)?;
    let restarts = match session {
        Some(session) => session.number(field::SESSION_STATUS)? == START,
        None => false,
    };
    let mut event = Event {
        time: message.double(field::EVENT_TIME)?,
        step: message.number(field::EVENT_STEP)?,
        restarts,
        values: Vec::new(),
    };
    if let Some(summary) = message.message(field::EVENT_SUMMARY)? {
        for value in summary.messages(field::SUMMARY_VALUE)? {
            let tag = value.text(field::VALUE_TAG)?.unwrap_or_default();
            if let Some(logged) = logged(value)? {
                event.values.push((tag, logged));
            }
        }
    }
    Ok(event)
}

fn logged(value: Message<'_>) -> Result<Option<Logged>, NotAMessage> {
    let plugin = match value.message(field::VALUE_METADATA)? {
        Some(metadata) => metadata.message(field::METADATA_PLUGIN)?,
        None => None,
    };
    let name = match plugin {
        Some(plugin) => plugin.text(field::PLUGIN_NAME)?,
        None => None,
    };
    if let (Some("hparams"), Some(plugin)) = (name.as_deref(), plugin) {
        let content = plugin.message(field::PLUGIN_CONTENT)?.unwrap_or(Message(&[]));
        return Ok(hparams::session(content)?.map(Logged::Session));
    }
    if let Some(single) = value.float(field::VALUE_SIMPLE)? {
        return Ok(Some(Logged::Single(single)));
    }
    // A tensor of another plugin, such as a curve, is not a scalar. Only the first value of a tag must name
    // its plugin.
    match (name.as_deref(), value.message(field::VALUE_TENSOR)?) {
        (None | Some("scalars" | "text"), Some(tensor)) => one(tensor),
        _ => Ok(None),
    }
}

/// The value of a tensor with one element.
fn one(tensor: Message<'_>) -> Result<Option<Logged>, NotAMessage> {
    fn alone<T>(mut found: Vec<T>) -> Option<T> {
        found.pop().filter(|_| found.is_empty())
    }
    let content = tensor.message(field::TENSOR_CONTENT)?.map(|content| content.0).unwrap_or_default();
    let logged = match tensor.number(field::TENSOR_TYPE)? {
        kind::FLOAT => content
            .try_into()
            .map(f32::from_le_bytes)
            .ok()
            .or(alone(tensor.floats(field::TENSOR_FLOATS)?))
            .map(Logged::Single),
        kind::DOUBLE => content
            .try_into()
            .map(f64::from_le_bytes)
            .ok()
            .or(alone(tensor.doubles(field::TENSOR_DOUBLES)?))
            .map(Logged::Double),
        kind::INTEGER => content
            .try_into()
            .map(|bytes| i64::from(i32::from_le_bytes(bytes)))
            .ok()
            .or(alone(tensor.numbers(field::TENSOR_INTEGERS)?))
            .map(Logged::Whole),
        kind::LONG => content
            .try_into()
            .map(i64::from_le_bytes)
            .ok()
            .or(alone(tensor.numbers(field::TENSOR_LONGS)?))
            .map(Logged::Whole),
        kind::TEXT => alone(tensor.texts(field::TENSOR_TEXTS)?).map(Logged::Text),
        _ => None,
    };
    Ok(logged)
}
