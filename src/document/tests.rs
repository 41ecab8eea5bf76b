//! Text to a tree and back.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

fn parse(text: &str, format: Format) -> Result<Node, Box<Diagnostic>> {
    Arc::new(Document::new("a", text.as_bytes().to_vec(), format)?).parse()
}

fn json(text: &str) -> Node {
    parse(text, Format::Json).unwrap_or_else(|problem| panic!("{text}: {problem}"))
}

#[test]
fn every_value_knows_its_bytes() {
    let text = "{\"é\": [1, {\"b\": \"x\"}], \"c\": null}";
    let document = Arc::new(Document::new("a", text.as_bytes().to_vec(), Format::Json).expect("text"));
    let root = document.parse().expect("JSON");
    assert_eq!(document.slice(root.span), text);
    let list = root.get("é").expect("the list");
    assert_eq!(document.slice(list.span), "[1, {\"b\": \"x\"}]");
    let inner =
        list.as_list().and_then(|items| items[1].as_map()).and_then(|map| map.entry("b")).expect("the entry");
    assert_eq!(document.slice(inner.key), "\"b\"");
    assert_eq!(document.slice(inner.node.span), "\"x\"");
    assert_eq!(document.line_column(inner.node.span.start as usize), (1, 17), "columns are characters");
}

#[test]
fn what_is_written_as_json_is_read_as_the_same() {
    let text = "{\n  \"a\": 1e400,\n  \"b\": [\n    NaN,\n    -Infinity,\n    0.10\n  ],\n  \"c\": {},\n  \"d\": []\n}";
    assert_eq!(to_text(&json(text), NotFinite::Token), text);
    assert!(to_text(&json(text), NotFinite::Text).contains("\"NaN\""));
}

#[test]
fn numbers_of_other_formats_become_numbers_of_json() {
    let yaml =
        parse("a: +1.\nb: .5\nc: -0.50\nd: .inf\ne: -.inf\nf: .nan\ng: 1e5\n", Format::Yaml).expect("YAML");
    let text = to_text(&yaml, NotFinite::Token);
    let again = json(&text);
    assert_eq!(to_text(&again, NotFinite::Token), text);
    for part in [
        "\"a\": 1,",
        "\"b\": 0.5",
        "\"c\": -0.50",
        "\"d\": Infinity",
        "\"e\": -Infinity",
        "\"f\": NaN",
        "\"g\": 1e5",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn the_nearest_name_is_near() {
    assert_eq!(nearest("git_comit", ["git_commit", "created_at"]), Some("git_commit"));
    assert_eq!(nearest("F1", ["f1", "recall"]), Some("f1"));
    assert_eq!(nearest("auc", ["recall", "precision"]), None);
    assert_eq!(nearest("x", []), None);
}

#[test]
fn a_path_is_shown_with_quotes_where_it_needs_them() {
    assert_eq!(Path::of(["params", "lr.decay"]).to_string(), "params.\"lr.decay\"");
    assert_eq!(Path::of(["data"]).index(0).key("digest").to_string(), "data[0].digest");
}

/// Values of every type.
fn tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_filter_map("finite", |number| serde_json::Number::from_f64(number).map(Into::into)),
        ".{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::hash_map(".{0,6}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn a_tree_says_what_serde_json_says(value in tree()) {
        prop_assert_eq!(json(&value.to_string()).to_json(), value.clone());
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        prop_assert_eq!(json(&to_text(&json(&pretty), NotFinite::Token)).to_json(), value);
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for format in [Format::Json, Format::Yaml] {
            if let Ok(document) = Document::new("a", bytes.clone(), format) {
                let _ = Arc::new(document).parse();
            }
        }
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "[\\{\\}\\[\\]:,\"'&*#|> a0.e\\n-]{0,48}") {
        let _ = parse(&text, Format::Json);
        let _ = parse(&text, Format::Yaml);
    }
}
