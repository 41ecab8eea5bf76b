//! Rows, commands, lines.

use std::slice::from_ref;
use std::sync::Arc;

use super::*;
use crate::document::{Document, Format, Node, Value};
use crate::run::{Decimal, Digest, FieldMap, MetricFault, Origin, Run};

fn rows(path: &str, text: impl AsRef<[u8]>) -> Option<u64> {
    // Fed byte by byte, to catch state that depends on buffer boundaries.
    RowCounter::of(path).and_then(|mut counter| {
        text.as_ref().chunks(1).for_each(|byte| counter.feed(byte));
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
    assert_eq!(rows("a.csv", "a,b\n1,5\" nail\n2,6\" nail\n3,x\n"), Some(3), "a quote within a field");
    assert_eq!(rows("a.tsv", "a\tb\n\"1\t2\n3\t4\n"), Some(2), "TSV has no quotes");
    assert_eq!(rows("a.csv", "a,b\r1,2\r3,4\r"), Some(2), "lines as old Macs end them");
    assert_eq!(rows("a.csv", "\u{feff}\"a\nb\",c\n1,2\n"), Some(1), "a mark of UTF-8");
    assert_eq!(rows("a.csv", "a,b\n1,\"2\n3,4\n"), None, "quotes that nothing ends");
    assert_eq!(rows("a.csv", b"\xff\xfea\0\n\x001\0\n\0"), None, "UTF-16");
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

/// The masks of secrets, without the digits that distinguish them.
fn without_digests(text: &str) -> String {
    let mut parts = text.split("***");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| shown + "***" + part.get(8..).unwrap_or_default())
}

#[test]
fn secrets_are_masked_and_nothing_else_is() {
    let masked = |line: &str| without_digests(&super::masked(&command(line)).join(" "));
    assert_eq!(masked("t --api-key x --c 1"), "t --api-key *** --c 1");
    assert_eq!(masked("t --hf_token=x -c 1"), "t --hf_token=*** -c 1");
    assert_eq!(masked("env WANDB_API_KEY=x t"), "env WANDB_API_KEY=*** t");
    assert_eq!(masked("t --use-token --c 1"), "t --use-token --c 1", "an option without a value");
    assert_eq!(masked("t --secret -x --c 1"), "t --secret *** --c 1", "a value that looks like an option");
    assert_eq!(masked("tokenize.py tokens.txt"), "tokenize.py tokens.txt");
    let training = "train.py --tokenizer bert --max-tokens 512 --pad-token <pad> --sort-key date";
    assert_eq!(masked(training), training);
    assert_eq!(masked("t --db https://ada:pw@host/x"), "t --db https://***@host/x");
    assert_eq!(
        masked("t --db=pg://ada:p@ss@db:5/x https://host/a@b"),
        "t --db=pg://***@db:5/x https://host/a@b"
    );
    let words =
        |words: &[&str]| super::masked(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
    assert_eq!(
        without_digests(&words(&["curl", "-H", "Authorization: Bearer x"])[2]),
        "Authorization: *** ***"
    );
    assert_eq!(
        without_digests(&words(&["sh", "-c", "TOKEN=x  python train.py --key y"])[2]),
        "TOKEN=***  python train.py --key ***"
    );
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
    assert_eq!(problems[0].location.as_ref().expect("a place").line_column(), (3, 1));
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).expect("a number")
}

fn recorded(text: &str) -> Run {
    let document = Arc::new(Document::new("run.json", text.into(), Format::Json).expect("text"));
    let tree = document.parse().expect("JSON");
    Run::new(&document, tree, &FieldMap::default(), Origin::default()).expect("a record")
}

const RUN: &str = r#"{"metrics": {"f1": 0.80}, "artifact": {"path": "m", "digest": "sha256:aa"},
 "predictions": {"path": "p", "digest": "sha256:bb"}}"#;

fn rerun(f1: Option<&str>, artifact: &str, predictions: &str) -> Rerun {
    Rerun {
        metrics: f1.map(|f1| ("f1".to_owned(), Ok(decimal(f1)))).into_iter().collect(),
        files: vec![
            ("m".into(), Some(Digest::parse(artifact))),
            ("p".into(), Some(Digest::parse(predictions))),
        ],
    }
}

#[test]
fn the_answers() {
    let (a, b) = ("sha256:aa", "sha256:bb");
    let tolerance = [Tolerance::parse("f1=0.01").expect("a tolerance")];
    let answer =
        |reruns: &[Rerun], tolerances: &[Tolerance]| compare(&recorded(RUN), reruns, tolerances, false).0;
    let one = |f1: Option<&str>, artifact: &str, predictions: &str| {
        answer(&[rerun(f1, artifact, predictions)], &[])
    };
    assert_eq!(one(Some("0.8"), a, b), Answer::Identical, "0.8 and 0.80 are the same number");
    assert_eq!(one(Some("0.8"), "sha256:cc", b), Answer::SamePredictions);
    assert_eq!(one(Some("0.8"), "sha256:cc", "sha256:dd"), Answer::WithinTolerance);
    assert_eq!(one(Some("0.8000001"), "sha256:cc", "sha256:dd"), Answer::Differs, "the default is exact");
    assert_eq!(one(Some("0.9"), a, b), Answer::Differs, "the same file, and another number of it");
    assert_eq!(one(None, a, b), Answer::Differs, "the same file, and no number of it");
    let not_finite = Rerun {
        metrics: vec![("f1".into(), Err(MetricFault::NotFinite("NaN".into())))],
        ..rerun(None, a, b)
    };
    let (answered, rows, _) = compare(&recorded(RUN), from_ref(&not_finite), &tolerance, false);
    assert_eq!((answered, rows[0].reruns[0].as_deref()), (Answer::Differs, Some("NaN")));
    let in_record = RUN.replace("0.80", "NaN");
    assert_eq!(compare(&recorded(&in_record), from_ref(&not_finite), &[], false).0, Answer::Differs);
    assert_eq!(one(None, "sha256:cc", "sha256:dd"), Answer::Differs, "nothing came out");
    let near = rerun(Some("0.79"), "sha256:cc", "sha256:dd");
    assert_eq!(answer(from_ref(&near), &tolerance), Answer::WithinTolerance, "the limit is allowed");
    assert_eq!(
        answer(from_ref(&near), &[Tolerance::parse("*=1.25%").expect("a tolerance")]),
        Answer::WithinTolerance
    );
    assert_eq!(
        answer(from_ref(&near), &[Tolerance::parse("*=1.24%").expect("a tolerance")]),
        Answer::Differs
    );
    let same = rerun(Some("0.8"), a, b);
    assert_eq!(answer(&[same, near], &tolerance), Answer::WithinTolerance, "the worst of several counts");
    assert_eq!(answer(&[], &tolerance), Answer::CouldNotRun);
    assert_eq!(
        compare(&recorded("{}"), &[Rerun::default()], &[], false).0,
        Answer::CouldNotRun,
        "nothing to compare"
    );
}

#[test]
fn slices_are_compared_as_metrics_are() {
    let text =
        RUN.replacen('{', "{\"slices\": {\"region=EU\": {\"rows\": 5, \"metrics\": {\"f1\": 0.7}}},", 1);
    let run = recorded(&text);
    let left = |f1: &str| {
        let mut rerun = rerun(Some("0.8"), "sha256:aa", "sha256:bb");
        rerun.metrics.push(("region=EU/f1".into(), Ok(decimal(f1))));
        rerun
    };
    assert_eq!(compare(&run, &[left("0.70")], &[], false).0, Answer::Identical);
    assert_eq!(compare(&run, &[left("0.6")], &[], false).0, Answer::Differs);
    let silent = rerun(Some("0.8"), "sha256:aa", "sha256:bb");
    assert_eq!(compare(&run, &[silent], &[], false).0, Answer::Differs, "a slice that did not come out");
}

#[test]
fn tolerances() {
    for bad in ["f1", "f1=", "=0.1", "f1=-1", "f1=a", "f1=1 %", "f1=nan"] {
        assert_eq!(Tolerance::parse(bad), Err(ToleranceError), "{bad}");
    }
}

#[test]
fn a_value_far_above_its_own_reruns_was_picked() {
    let reruns = ["0.70", "0.71", "0.69", "0.70"].map(|f1| rerun(Some(f1), "sha256:cc", "sha256:dd"));
    let (answer, metrics, _) = compare(&recorded(RUN), &reruns, &[], true);
    let spread = metrics[0].spread.clone().expect("four values");
    // mean 0.70, deviation 0.008165, t 3.182, √1.25
    assert_eq!((spread.mean.as_str(), spread.deviation.as_str()), ("0.700000", "0.008165"));
    assert_eq!(spread.interval, ["0.670952".to_owned(), "0.729048".to_owned()]);
    assert!(!spread.inside);
    assert_eq!(answer, Answer::Differs);
    let honest = ["0.79", "0.81", "0.80", "0.78"].map(|f1| rerun(Some(f1), "sha256:cc", "sha256:dd"));
    assert_eq!(compare(&recorded(RUN), &honest, &[], true).0, Answer::WithinTolerance);
    // The more metrics there are, the more often one is far off by chance.
    let many = (0..20).map(|at| format!("\"m{at}\": 0.70, ")).collect::<Vec<_>>().concat();
    let many = recorded(&RUN.replace("{\"f1\"", &format!("{{{many}\"f1\"")).replace("0.80", "0.7317"));
    let of_many = |f1: &str| {
        let mut rerun = rerun(Some(f1), "sha256:cc", "sha256:dd");
        rerun.metrics.extend((0..20).map(|at| (format!("m{at}"), Ok(decimal(f1)))));
        rerun
    };
    let all = ["0.70", "0.71", "0.69", "0.70"].map(of_many);
    assert_eq!(compare(&many, &all, &[], true).0, Answer::WithinTolerance);
    let alone = recorded(&RUN.replace("0.80", "0.7317"));
    assert_eq!(compare(&alone, &reruns, &[], true).0, Answer::Differs);
    assert_eq!(compare(&recorded(RUN), &honest[..1], &[], true).0, Answer::Differs, "one value lies nowhere");
}
