//! Rows, commands, lines.

use std::sync::Arc;

use super::*;
use crate::document::{Document, Format, Node, Value};

fn rows(path: &str, text: &str) -> Option<u64> {
    // Fed byte by byte, so that no state hides in a buffer.
    RowCounter::of(path).map(|mut counter| {
        text.as_bytes().chunks(1).for_each(|byte| counter.feed(byte));
        counter.rows()
    })
}

#[test]
fn rows_are_counted_in_text_formats_only() {
    assert_eq!(rows("a.csv", "a,b\n1,2\n3,4\n"), Some(2));
    assert_eq!(rows("a.csv", "a,b\r\n1,2\r\n3,4"), Some(2), "no newline at the end");
    assert_eq!(
        rows("a.csv", "a,b\n\"x\ny\",\"he said \"\"no\n\"\"\"\n\n"),
        Some(1),
        "newlines within quotes"
    );
    assert_eq!(rows("a.csv", "a,b\n"), Some(0));
    assert_eq!(rows("a.CSV", ""), Some(0));
    assert_eq!(rows("a.jsonl", "{}\n\n  \n{\"a\": \"\\\"\"}\n{}"), Some(3));
    assert_eq!(rows("a.parquet", "PAR1"), None);
    assert_eq!(rows("csv", "a\n"), None);
}

fn command(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn the_script_of_a_command() {
    let there = |files: &'static [&'static str]| move |word: &str| files.contains(&word);
    let found = |line: &str, files: &'static [&'static str]| source(&command(line), there(files));
    assert_eq!(found("python train.py --config a.py", &["train.py", "a.py"]).as_deref(), Some("train.py"));
    assert_eq!(
        found("jupyter nbconvert --execute churn.ipynb", &["churn.ipynb"]).as_deref(),
        Some("churn.ipynb")
    );
    assert_eq!(found("python -m churn.train", &["churn/train.py"]).as_deref(), Some("churn/train.py"));
    assert_eq!(found("python -m churn", &["churn/__main__.py"]).as_deref(), Some("churn/__main__.py"));
    assert_eq!(found("python train.py", &[]), None);
    assert_eq!(found("make train", &["train"]), None);
}

#[test]
fn secrets_are_masked_and_nothing_else_is() {
    let masked = |line: &str| super::masked(&command(line)).join(" ");
    assert_eq!(masked("t --api-key x --c 1"), "t --api-key *** --c 1");
    assert_eq!(masked("t --hf_token=x -c 1"), "t --hf_token=*** -c 1");
    assert_eq!(masked("env WANDB_API_KEY=x t"), "env WANDB_API_KEY=*** t");
    assert_eq!(masked("t --use-token --c 1"), "t --use-token --c 1", "an option without a value");
    assert_eq!(masked("tokenize.py tokens.txt"), "tokenize.py tokens.txt");
}

#[test]
fn a_command_is_taken_apart_without_a_shell() {
    let text = |text: &str| words(Some(&Node::text(text)));
    assert_eq!(
        text("python train.py --name 'a b'"),
        Ok(command("python train.py --name").into_iter().chain(["a b".into()]).collect())
    );
    for line in ["a | b", "a && b", "a > b", "a $HOME", "a *.csv", "a ~/b", "a 'b"] {
        assert_eq!(text(line), Err(Unusable::Shell(line.into())));
    }
    let list = Node::made(Value::List(vec![Node::text("sh"), Node::text("-c"), Node::text("a | b")]));
    assert_eq!(words(Some(&list)).map(|words| words.len()), Ok(3));
    assert_eq!(words(None), Err(Unusable::Missing));
    let masked = Node::made(Value::List(vec![Node::text("a"), Node::text("--token=***")]));
    assert_eq!(words(Some(&masked)), Err(Unusable::Masked("--token=***".into())));
}

#[test]
fn another_seed() {
    let line = command("python train.py --seed 1 --c 2");
    assert_eq!(with_seed(&line, "--seed", "5"), Some(command("python train.py --seed 5 --c 2")));
    assert_eq!(with_seed(&command("t --seed=1"), "--seed", "5"), Some(command("t --seed=5")));
    assert_eq!(with_seed(&line, "--random", "5"), None);
    assert_eq!(with_seed(&command("t --seed"), "--seed", "5"), None);
}

#[test]
fn a_parameter_keeps_its_digits() {
    assert!(matches!(scalar("1.0e-1").value, Value::Number(text) if &*text == "1.0e-1"));
    assert!(matches!(scalar("adam").value, Value::String(_)));
    assert!(matches!(scalar("[1, 2]").value, Value::List(_)));
    assert!(matches!(scalar("[1, 2").value, Value::String(_)));
}

#[test]
fn a_bad_line_is_pointed_at() {
    let text = "metrics.f1=0.8\n\nnonsense\n";
    let document = Document::new("lines", text.into(), Format::Json).expect("text");
    let problems = Lines::parse(&Arc::new(document)).expect_err("a line without `=`");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].place.as_ref().expect("a place").line_column(), (3, 1));
}
