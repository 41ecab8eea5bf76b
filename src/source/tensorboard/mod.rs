//! TensorBoard: the scalars, texts and hyperparameters in the event files of a training.
//!
//! The files don't say whether the training ended, nor which model it produced.

mod event;
mod frames;
mod hparams;

use indexmap::IndexMap;
use jiff::Timestamp;

use self::event::{Event, Logged, event};
use self::frames::frames;
use self::hparams::Session;
use super::Tracker;
use super::cases::number;
use super::tracked::{Tracked, with_history};
use crate::document::{Diagnostic, Map, Node, Path, Span, Value};
use crate::run::Origin;

crate::code::codes! {
    DAMAGED = "tensorboard/damaged": "A TensorBoard event file is damaged or empty.";
}

/// Maximum length in bytes of a text that is kept; longer ones are prose.
const MAX_TEXT: usize = 1 << 10;

/// An event file.
#[derive(Debug)]
pub struct File {
    /// Its name in messages.
    pub label: String,
    /// The prefix of its tags, such as `validation/`.
    pub prefix: &'static str,
    /// The whole contents.
    pub bytes: Vec<u8>,
}

/// The training that some files describe, in the order in which they were written; `name` is their folder's name.
pub fn tracked(
    files: &[File],
    name: &str,
    label: String,
    origin: Origin,
) -> Result<Tracked, Box<Diagnostic>> {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    run.text(&Path::of(["name"]), Some(name), "the name of the folder");
    let mut log = Log::default();
    for file in files {
        log.read(file)?;
    }
    if log.events == 0 {
        let message = format!("`{}` holds no event", run.label);
        return Err(Diagnostic::new(DAMAGED, message)
            .help("check whether and where training wrote its event files; `tensorboard --inspect` shows their contents")
            .boxed());
    }
    let mut metrics = Map::default();
    for (tag, points) in &log.scalars {
        if let Some((_, last)) = points.last() {
            metrics.insert(tag.as_str(), Span::default(), with_history(last.value.clone(), points));
        }
    }
    if metrics.is_empty() {
        run.notes.push("no scalar is in the event files".into());
    } else {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "the last value of each scalar");
    }
    let texts: Map = map(log.texts.iter().map(|(tag, text)| (tag.as_str(), Node::text(text.as_str()))));
    if !texts.is_empty() {
        run.put(&Path::of(["tags"]), Value::Map(texts), "texts");
    }
    let params: Map = map(log.params.iter().map(|(key, value)| (key.as_str(), value.clone())));
    if let Some(Value::Number(seed)) = params.get("seed").map(|node| &node.value) {
        run.put(&Path::of(["seed"]), Value::Number(seed.clone()), "hparams: seed");
    }
    if !params.is_empty() {
        run.put(&Path::of(["params"]), Value::Map(params), "hparams");
    }
    let began = log.began.and_then(time);
    run.text(&Path::of(["created_at"]), began.as_deref(), "the time of the first event");
    if let Some(file) = &log.cut {
        run.notes.push(format!(
            "`{file}` ends in the middle of an event: the training was killed, or is still writing"
        ));
    }
    let status = if log.cut.is_some() { Some("unknown") } else { log.status };
    run.text(&Path::of(["status"]), status, "the end of the files, hparams: session_end_info");
    if log.went_back {
        run.notes.push(
            "steps go back: the training was resumed, or several runs were logged here; for repeated steps, the later value counts"
                .into(),
        );
    }
    Ok(run)
}

fn map<'t>(entries: impl Iterator<Item = (&'t str, Node)>) -> Map {
    let mut map = Map::default();
    for (key, node) in entries {
        map.insert(key, Span::default(), node);
    }
    map
}

/// A timestamp from seconds since 1970; `None` if out of range.
fn time(seconds: f64) -> Option<String> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "beyond the range there is no time, and none is given"
    )]
    let microseconds = (seconds * 1e6).round() as i64;
    Timestamp::from_microsecond(microseconds).ok().map(|at| at.to_string())
}

/// The combined contents of all files of a training.
#[derive(Default)]
struct Log {
    scalars: IndexMap<String, Vec<(i64, Node)>>,
    texts: IndexMap<String, String>,
    params: IndexMap<String, Node>,
    status: Option<&'static str>,
    began: Option<f64>,
    events: usize,
    /// The file that ends in the middle of an event.
    cut: Option<String>,
    went_back: bool,
}

impl Log {
    fn read(&mut self, file: &File) -> Result<(), Box<Diagnostic>> {
        let damaged = |what: String| {
            Diagnostic::new(DAMAGED, format!("`{}` {what}", file.label))
                .help("copy the file again; an incomplete file can't be judged")
                .boxed()
        };
        let read = frames(&file.bytes).map_err(|at| match at {
            0 => damaged("is not a TensorBoard event file: its first checksum is wrong".into()),
            _ => damaged(format!("is damaged at byte {at}: a checksum is wrong")),
        })?;
        if read.cut {
            self.cut.get_or_insert_with(|| file.label.clone());
        }
        self.events += read.payloads.len();
        for (index, payload) in read.payloads.iter().enumerate() {
            let event = event(payload)
                .map_err(|_| damaged(format!("has an invalid event at position {}", index + 1)))?;
            self.add(event, file.prefix);
        }
        Ok(())
    }

    fn add(&mut self, event: Event, prefix: &str) {
        if let Some(time) = event.time.filter(|time| time.is_finite()) {
            self.began = Some(self.began.map_or(time, |began| began.min(time)));
        }
        if event.restarts {
            for (tag, points) in &mut self.scalars {
                if tag.starts_with(prefix) {
                    let before = points.len();
                    points.retain(|(step, _)| *step < event.step);
                    self.went_back |= points.len() < before;
                }
            }
        }
        for (tag, logged) in event.values {
            let value = match logged {
                // Use the fewest digits that parse back to the value: 0.84, as it was logged, not
                // 0.8399999737739563.
                Logged::Single(value) if value.is_finite() => Value::Number(format!("{value:?}").into()),
                Logged::Single(value) => not_finite(f64::from(value)),
                Logged::Double(value) if value.is_finite() => number(value),
                Logged::Double(value) => not_finite(value),
                Logged::Whole(value) => Value::Number(value.to_string().into()),
                Logged::Text(text) => {
                    if text.len() <= MAX_TEXT {
                        let tag = tag.strip_suffix("/text_summary").unwrap_or(&tag);
                        self.texts.insert(format!("{prefix}{tag}"), text);
                    }
                    continue;
                }
                Logged::Session(Session::Start(values)) => {
                    self.params.extend(values);
                    continue;
                }
                Logged::Session(Session::End(status)) => {
                    self.status = Some(status);
                    continue;
                }
            };
            let points = self.scalars.entry(format!("{prefix}{tag}")).or_default();
            if points.last().is_some_and(|(last, _)| *last >= event.step) {
                // Two values at one step don't mean a restart.
                self.went_back |= points.last().is_some_and(|(last, _)| *last > event.step);
                points.truncate(points.partition_point(|(step, _)| *step < event.step));
            }
            points.push((event.step, Node::made(value)));
        }
    }
}

fn not_finite(value: f64) -> Value {
    let token = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    Value::NotFinite(token.into())
}

/// How to record what TensorBoard leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "tensorboard",
    title: "TensorBoard",
    advice: &[
        (
            "params",
            "SummaryWriter.add_hparams({\"lr\": 0.1}, {\"f1\": f1}), or tensorboard.plugins.hparams in TensorFlow",
        ),
        ("git_commit", "gate record -- python train.py"),
        (
            "data_version",
            "SummaryWriter.add_text(\"data_version\", version), and `fields: { data_version: tags.data_version }` in the policy",
        ),
        ("validation", "gate record -- python train.py, with the files of the split as data"),
        ("artifact", "gate record --artifact model.pt -- python train.py"),
        ("status", "gate record -- python train.py: event files do not say whether a training ended"),
        ("model", "`fields: { model: name }` in the policy, where folders are named after models"),
        ("environment", "gate record -- python train.py"),
    ],
};

#[cfg(test)]
mod tests;
