use super::gto::current;
use super::paths::{is_like, joined, relative, wildcard};
use super::python::constants;
use super::template::Context;
use crate::document::{Map, Node, Span, Value};
use crate::git::Tag;

/// Tags, each with the letter of its commit and its time.
fn tags(all: &[(&str, &str, i64)]) -> Vec<Tag> {
    let tag =
        |&(name, commit, time): &(&str, &str, i64)| Tag { name: name.into(), commit: commit.into(), time };
    all.iter().map(tag).collect()
}

/// The name of the tag that a name points to, or why there is none.
fn led_to(all: &[Tag], name: &str) -> String {
    match current(all, name) {
        None => "no name of GTO".into(),
        Some(Ok(tag)) => tag.name.clone(),
        Some(Err(why)) => why,
    }
}

#[test]
fn the_highest_counter_of_a_stage_wins() {
    let all = tags(&[
        ("churn#prod#9", "a", 5),
        ("churn#prod#10", "b", 1),
        ("churn#prod-eu#11", "c", 1),
        ("churn#staging#12", "d", 1),
        ("churned#prod#13", "e", 1),
    ]);
    assert_eq!(led_to(&all, "churn#prod"), "churn#prod#10");
    assert_eq!(led_to(&all, "churn#dev"), "no tag of GTO assigns the stage `dev` to `churn`");
    assert_eq!(led_to(&all, "main"), "no name of GTO");
    assert_eq!(led_to(&all, "churn@v1.0.0"), "no name of GTO");
}

#[test]
fn what_was_taken_away_is_no_longer_there() {
    let mut all = tags(&[("churn#prod#1", "a", 1), ("churn#prod#2", "b", 2), ("churn#prod!#3", "b", 3)]);
    assert_eq!(led_to(&all, "churn#prod"), "churn#prod#1");
    all.extend(tags(&[("churn#prod!#4", "a", 4)]));
    assert!(led_to(&all, "churn#prod").starts_with("no tag of GTO"));
    all.extend(tags(&[("churn#prod#5", "b", 5)]));
    assert_eq!(led_to(&all, "churn#prod"), "churn#prod#5");
}

#[test]
fn tags_without_a_counter_are_ordered_by_their_times() {
    let mut all = tags(&[("churn#prod", "a", 1)]);
    assert_eq!(led_to(&all, "churn#prod"), "churn#prod");
    all.extend(tags(&[("churn#prod#7", "b", 2)]));
    assert_eq!(led_to(&all, "churn#prod"), "churn#prod#7");
    all.extend(tags(&[("churn#prod!", "b", 3)]));
    assert_eq!(led_to(&all, "churn#prod"), "churn#prod");
    let unclear = tags(&[("churn#prod", "a", 1), ("churn#prod#7", "b", 1)]);
    assert!(led_to(&unclear, "churn#prod").contains("do not say which of them is later"));
}

#[test]
fn versions_and_artifacts_end() {
    let mut all = tags(&[("churn@v1.0.0", "a", 1), ("churn#prod#1", "a", 2), ("churn@v1.1.0#2", "b", 3)]);
    assert_eq!(led_to(&all, "churn@v1.0.0"), "churn@v1.0.0");
    assert_eq!(led_to(&all, "churn@v1.1.0"), "churn@v1.1.0#2");
    all.extend(tags(&[("churn@v1.0.0!", "a", 4)]));
    let why = "the tag `churn@v1.0.0!` deregistered the version `v1.0.0` of `churn`";
    assert_eq!(led_to(&all, "churn@v1.0.0"), why);
    assert_eq!(led_to(&all, "churn#prod"), why);
    assert_eq!(led_to(&all, "churn@v1.1.0"), "churn@v1.1.0#2");
    all.extend(tags(&[("churn@deprecated", "b", 5)]));
    assert_eq!(led_to(&all, "churn@v1.1.0"), "the tag `churn@deprecated` deprecated the artifact `churn`");
    // Registering it again brings it back.
    all.extend(tags(&[("churn@v1.2.0", "c", 6)]));
    assert_eq!(led_to(&all, "churn@v1.2.0"), "churn@v1.2.0");
}

#[test]
fn an_artifact_in_a_folder_is_named_as_gto_names_it() {
    let all = tags(&[("proj/a=bahn#prod#1", "a", 1), ("proj/a=bahn@v1.0.0", "a", 0)]);
    for name in ["proj/a:bahn#prod", "proj/a=bahn#prod"] {
        assert_eq!(led_to(&all, name), "proj/a=bahn#prod#1");
    }
    assert_eq!(led_to(&all, "proj/a:bahn@v1.0.0"), "proj/a=bahn@v1.0.0");
}

#[test]
fn templates_lead_to_what_the_lock_says() {
    let glob = wildcard("metrics/s${item.seed}.json").expect("a template");
    assert_eq!(glob, "metrics/s*.json");
    assert!(is_like(&glob, "metrics/s11.json", true));
    assert!(is_like("a*b*b", "axbyb", true));
    for other in ["metrics/s1/1.json", "metrics/s11.yaml", "other/s11.json", "metrics/s11.json.bak"] {
        assert!(!is_like(&glob, other, true), "{other}");
    }
    assert!(is_like("python * m.json", "python a/b.py m.json", false));
    assert_eq!(wildcard("metrics.json"), None);
}

#[test]
fn templates_stand_for_what_dvc_writes() {
    let mut inner = Map::default();
    let put = |map: &mut Map, key: &str, value: Value| {
        map.insert(key, Span::default(), Node::made(value));
    };
    for (key, written) in [("a", "0.10"), ("b", "1e-3"), ("c", "0.00001"), ("d", "7"), ("e", "2e16")] {
        put(&mut inner, key, Value::Number(written.into()));
    }
    put(&mut inner, "on", Value::Bool(true));
    put(&mut inner, "list", Value::List(vec![Node::text("x"), Node::text("y")]));
    let context = Context::default().with("train", Node::made(Value::Map(inner)));
    for (text, made) in [
        ("--lr ${train.a} ${train.b}", "--lr 0.1 0.001"),
        ("${train.c} ${ train.d } ${train.e}", "1e-05 7 2e+16"),
        ("${train.on} ${train.list[1]}", "true y"),
        ("${train.none} ${train} \\${train.a} ${", "${train.none} ${train} \\${train.a} ${"),
    ] {
        assert_eq!(context.text(text), made);
    }
}

#[test]
fn paths_are_relative_to_the_folder_of_the_stage() {
    assert_eq!(joined("train", "../data/./x.csv"), "data/x.csv");
    assert_eq!(joined("", "../x"), "../x");
    assert_eq!(joined("a/b", "c"), "a/b/c");
    assert_eq!(joined("a", "/etc/hosts"), "/etc/hosts");
    assert_eq!(joined("/a/b", "../c"), "/a/c");
    assert_eq!(joined("a", "s3://bucket/x"), "s3://bucket/x");
    for (folder, path, made) in [("pipe", "data/x", "../data/x"), ("pipe", "pipe/x", "x"), ("", "x", "x")] {
        assert_eq!(relative(folder, path), made);
        assert_eq!(joined(folder, made), path);
    }
}

#[test]
fn constants_of_python_are_read_where_they_are_plain() {
    let text = "\"\"\"\nLR = 9\n\"\"\"\nLR = 0.1  # a rate\nNAME: str = 'x'\nON = True\nN = 1_000\nMIX = [1]\nBIG = LR * 2\nif ON:\n    LR = 7\n\nclass T(Base):\n    depth = 3\n    def f(self):\n        depth = 4\nafter = None\n";
    let found = constants(text);
    let written = |key: &str| found.get(key).and_then(Node::as_written).map(str::to_owned);
    assert_eq!(written("LR").as_deref(), Some("0.1"));
    assert_eq!(written("NAME").as_deref(), Some("x"));
    assert_eq!(written("N").as_deref(), Some("1000"));
    assert_eq!(found.get("T").and_then(|class| class.get("depth")).and_then(Node::as_written), Some("3"));
    assert!(found.get("MIX").is_some_and(|list| list.as_list().is_some_and(|items| items.len() == 1)));
    assert!(found.get("BIG").is_none());
    assert!(found.get("after").is_some_and(Node::is_null));
}
