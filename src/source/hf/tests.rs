use super::{front_matter, has_results, of_card};
use crate::document::to_text;
use crate::document::{Node, NotFinite, Value};
use crate::run::Origin;

fn read(text: &str) -> Result<String, String> {
    let card = front_matter("README.md", text.as_bytes().to_vec()).map_err(|problem| problem.message)?;
    let Some(card) = card else { return Ok("no metadata".into()) };
    let run = of_card(&card, "README.md".into(), Origin::default()).map_err(|problem| problem.message)?;
    Ok(to_text(&Node::made(Value::Map(run.record)), NotFinite::Token).split_whitespace().collect())
}

fn card(metrics: &str) -> String {
    format!(
        "---\nmodel-index:\n- name: churn\n  results:\n  - dataset: {{type: d, split: test}}\n    metrics:\n{metrics}---\n# churn\n"
    )
}

#[test]
fn values_stay_as_they_are_written() {
    let read = |value: &str| read(&card(&format!("    - {{type: f1, value: {value}}}\n")));
    assert!(read("0.80731").expect("a card").contains("\"value\":0.80731"));
    assert!(read("\"95.3%\"").expect("a card").contains("\"value\":\"95.3%\""));
    assert!(read(".nan").expect("a card").contains("NaN"));
    // YAML 1.1 reads this as 123.
    assert!(read("12_3").expect("a card").contains("\"12_3\""));
    // Inside braces a comma ends the value, so the Hub's library reads 0.
    assert!(read("0,91").expect_err("a comma").contains("`91` has no value"));
}

#[test]
fn a_fence_that_the_library_would_overlook_is_refused() {
    assert!(read("--- \nmodel-index: []\n---\n").expect_err("spaces").contains("trailing spaces"));
    assert!(read("---\nmodel-index: []\n").expect_err("open").contains("no closing line"));
    assert_eq!(read("# A model\n").expect("a text"), "no metadata");
    assert_eq!(read("---\n---\n# A model\n").expect("a text"), "no metadata");
}

#[test]
fn what_has_two_meanings_is_refused() {
    assert!(read("---\nlicense: mit\nlicense: apache-2.0\n---\n").is_err());
    assert!(read("---\na:\n\t- b\n---\n").is_err());
    let twice = card("    - {type: f1, value: 0.8}\n    - {type: f1, value: 0.9}\n");
    assert!(read(&twice).expect_err("twice").contains("occurs twice"));
}

#[test]
fn line_ends_byte_order_marks_and_blank_lines_do_not_matter() {
    let plain = read(&card("    - {type: f1, value: 0.8}\n")).expect("a card");
    // The library's pattern allows blanks before the first fence and after the last one, and so do we.
    let blanks = card("    - {type: f1, value: 0.8}\n").replacen("---\n# churn", "--- \n# churn", 1);
    assert_eq!(read(&format!("  \n\t\n  {blanks}")).expect("a card"), plain);
    let windows = format!("\u{feff}\n\n{}", card("    - {type: f1, value: 0.8}\n")).replace('\n', "\r\n");
    assert_eq!(read(&windows).expect("a card"), plain);
}

#[test]
fn a_card_that_the_trainer_wrote_has_no_results() {
    let text = "---\nmodel-index:\n- name: small\n  results: []\n---\n";
    let card = front_matter("README.md", text.into()).expect("a card").expect("metadata");
    assert!(!has_results(&card));
}
