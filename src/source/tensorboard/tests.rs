use super::frames::{frames, masked};
use super::*;

/// A length-delimited field.
fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    // The length is always a two-byte varint.
    let length = u16::try_from(content.len()).expect("a short one");
    let [low, high] = [length & 0x7F | 0x80, length >> 7].map(|byte| u8::try_from(byte).expect("7 bits"));
    [&[number << 3 | 2, low, high], content].concat()
}

fn whole(number: u8, value: u8) -> Vec<u8> {
    vec![number << 3, value]
}

fn float(number: u8, value: f32) -> Vec<u8> {
    [&[number << 3 | 5][..], &value.to_le_bytes()].concat()
}

fn double(number: u8, value: f64) -> Vec<u8> {
    [&[number << 3 | 1][..], &value.to_le_bytes()].concat()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), payload, &masked(payload).to_le_bytes()].concat()
}

fn event_of(step: u8, values: &[Vec<u8>]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| bytes(1, value)).collect();
    frame(&[double(1, 1_795_425_536.5), whole(2, step), bytes(5, &values)].concat())
}

fn simple(tag: &str, value: f32) -> Vec<u8> {
    [bytes(1, tag.as_bytes()), float(2, value)].concat()
}

fn tensor(tag: &str, plugin: &str, tensor: &[u8]) -> Vec<u8> {
    let metadata =
        if plugin.is_empty() { Vec::new() } else { bytes(9, &bytes(1, &bytes(1, plugin.as_bytes()))) };
    [bytes(1, tag.as_bytes()), bytes(8, tensor), metadata].concat()
}

fn read(files: &[Vec<u8>]) -> Result<Tracked, Box<Diagnostic>> {
    let files: Vec<File> = files
        .iter()
        .enumerate()
        .map(|(at, bytes)| File { label: format!("events.{at}"), prefix: "", bytes: bytes.clone() })
        .collect();
    tracked(&files, "churn", "runs/churn".into(), Origin::default())
}

fn metric(run: &Tracked, name: &str) -> String {
    let metric = run.record.get("metrics").and_then(|metrics| metrics.get(name));
    metric.map(crate::document::to_line).unwrap_or_default()
}

#[test]
fn the_checksum_is_the_one_of_tensorflow() {
    // The test vectors of RFC 3720, B.4, masked as TensorFlow does.
    assert_eq!(masked(&[0; 32]), 0x8A91_36AA_u32.rotate_right(15).wrapping_add(0xA282_EAD8));
    assert_eq!(masked(&[0xFF; 32]), 0x62A8_AB43_u32.rotate_right(15).wrapping_add(0xA282_EAD8));
}

#[test]
fn scalars_are_simple_values_or_tensors_of_one_element() {
    let content = |kind: u8, raw: &[u8]| [whole(1, kind), bytes(4, raw)].concat();
    let values = [
        simple("f1", 0.84),
        tensor("loss", "scalars", &content(1, &0.25_f32.to_le_bytes())),
        tensor("packed", "scalars", &[whole(1, 1), bytes(5, &0.5_f32.to_le_bytes())].concat()),
        tensor("single", "", &[whole(1, 1), float(5, 0.125)].concat()),
        tensor("double", "scalars", &content(2, &0.1_f64.to_le_bytes())),
        tensor("count", "scalars", &content(9, &7_i64.to_le_bytes())),
        tensor("note/text_summary", "text", &[whole(1, 7), bytes(8, b"2026-05-30")].concat()),
        // Neither a curve nor a vector is a scalar.
        tensor("curve", "pr_curves", &content(1, &0.5_f32.to_le_bytes())),
        tensor("vector", "scalars", &content(1, &[0; 8])),
    ];
    let run = read(&[event_of(3, &values)]).expect("a run");
    for (name, value) in [
        ("f1", "0.84"),
        ("loss", "0.25"),
        ("packed", "0.5"),
        ("single", "0.125"),
        ("double", "0.1"),
        ("count", "7"),
    ] {
        assert_eq!(metric(&run, name), value, "{name}");
    }
    assert_eq!((metric(&run, "curve"), metric(&run, "vector")), (String::new(), String::new()));
    let tags = run.record.get("tags").and_then(|tags| tags.get("note")).and_then(Node::as_written);
    assert_eq!(tags, Some("2026-05-30"));
    assert!(run.record.get("status").is_none(), "nothing says that the training ended");
}

#[test]
fn of_steps_that_come_again_the_later_count() {
    let first = [
        event_of(1, &[simple("f1", 0.1)]),
        event_of(2, &[simple("f1", 0.9)]),
        event_of(3, &[simple("f1", 0.8)]),
    ];
    let resumed = [event_of(2, &[simple("f1", 0.3)])];
    let run = read(&[first.concat(), resumed.concat()]).expect("a run");
    let shown = metric(&run, "f1");
    assert!(shown.contains("\"value\": 0.3") && shown.contains("\"points\": 2"), "{shown}");
    assert!(run.notes.iter().any(|note| note.contains("steps go back")), "{:?}", run.notes);
    // A reopened writer announces its step before it logs anything.
    let restart = frame(&[whole(2, 2), bytes(7, &whole(1, 1))].concat());
    let run = read(&[[first.concat(), restart].concat()]).expect("a run");
    assert_eq!(metric(&run, "f1"), "0.1");
}

#[test]
fn hyperparameters_and_the_end_of_a_session_are_read() {
    let entry = |key: &str, value: &[u8]| bytes(1, &[bytes(1, key.as_bytes()), bytes(2, value)].concat());
    let start = [
        entry("lr", &double(2, 0.1)),
        entry("seed", &double(2, 7.0)),
        entry("optimizer", &bytes(3, b"adam")),
        entry("dropout", &whole(4, 1)),
    ];
    let plugin = |data: &[u8]| {
        let plugin = [bytes(1, b"hparams"), bytes(2, data)].concat();
        [bytes(1, b"_hparams_/x"), bytes(9, &bytes(1, &plugin))].concat()
    };
    let ended = |status: u8| {
        let values = [plugin(&bytes(3, &start.concat())), plugin(&bytes(4, &whole(1, status)))];
        read(&[event_of(0, &values)]).expect("a run")
    };
    let run = ended(1);
    let text = |path: &[&str]| {
        let node = path.iter().try_fold(run.record.get("params")?, |node, key| node.get(key))?;
        node.as_written().map(str::to_owned)
    };
    assert_eq!(text(&["lr"]).as_deref(), Some("0.1"));
    assert_eq!(text(&["optimizer"]).as_deref(), Some("adam"));
    assert_eq!(run.record.get("seed").and_then(Node::as_written), Some("7"));
    assert_eq!(run.record.get("status").and_then(Node::as_written), Some("finished"));
    assert_eq!(ended(2).record.get("status").and_then(Node::as_written), Some("failed"));
}

#[test]
fn what_is_no_finite_number_stays_none() {
    let values = [simple("nan", f32::NAN), simple("inf", f32::INFINITY), simple("less", f32::NEG_INFINITY)];
    let run = read(&[event_of(1, &values)]).expect("a run");
    for name in ["nan", "inf", "less"] {
        let node = run.record.get("metrics").and_then(|metrics| metrics.get(name));
        assert!(matches!(node.map(|node| &node.value), Some(Value::NotFinite(_))), "{name}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_of_a_training_that_did_not_end() {
    let whole = [event_of(1, &[simple("f1", 0.5)]), event_of(2, &[simple("f1", 0.9)])].concat();
    let first = event_of(1, &[simple("f1", 0.5)]).len();
    for length in [whole.len() - 1, whole.len() - 5, first + 3] {
        let run = read(&[whole[..length].to_vec()]).expect("a run");
        assert_eq!(metric(&run, "f1"), "0.5", "{length}");
        assert_eq!(run.record.get("status").and_then(Node::as_written), Some("unknown"), "{length}");
    }
    // Blocks that were never written are zeros.
    let run = read(&[[whole[..first].to_vec(), vec![0; 100]].concat()]).expect("a run");
    assert_eq!(run.record.get("status").and_then(Node::as_written), Some("unknown"));
}

#[test]
fn damage_is_an_error_wherever_it_is() {
    let whole = [event_of(1, &[simple("f1", 0.5)]), event_of(2, &[simple("f1", 0.9)])].concat();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        assert!(frames(&bytes).is_err(), "byte {at}");
        assert_eq!(read(&[bytes]).expect_err("damage").code, DAMAGED, "byte {at}");
    }
    // An impossible length with a correct checksum.
    let length = u64::MAX.to_le_bytes();
    let huge = [&length[..], &masked(&length).to_le_bytes(), b"ab"].concat();
    assert!(frames(&huge).is_ok_and(|frames| frames.cut));
    for nothing in [Vec::new(), vec![0; 64], huge] {
        assert!(read(&[nothing]).expect_err("no event").message.contains("no event"));
    }
    assert_eq!(read(&[b"not an event file".to_vec()]).expect_err("no frames").code, DAMAGED);
    assert_eq!(read(&[frame(&[0xFF; 4])]).expect_err("no message").code, DAMAGED);
}
