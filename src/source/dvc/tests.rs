use super::gto::current;
use super::pipeline::{is_like, joined, wildcard};

fn tags(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn the_highest_counter_of_a_stage_wins() {
    let all =
        tags(&["churn#prod#9", "churn#prod#10", "churn#prod-eu#11", "churn#staging#12", "churned#prod#13"]);
    assert_eq!(current(&all, "churn", "prod", |tag| Some(tag.into())).as_deref(), Some("churn#prod#10"));
    assert_eq!(current(&all, "churn", "dev", |tag| Some(tag.into())), None);
}

#[test]
fn what_was_taken_away_is_no_longer_there() {
    let all = tags(&["churn#prod#1", "churn#prod#2", "churn#prod!#3"]);
    let commit = |tag: &str| Some(if tag.ends_with('1') { "a" } else { "b" }.to_owned());
    assert_eq!(current(&all, "churn", "prod", commit).as_deref(), Some("churn#prod#1"));
    assert_eq!(current(&all, "churn", "prod", |_| Some("a".into())), None);
}

#[test]
fn templates_lead_to_what_the_lock_says() {
    let glob = wildcard("metrics/s${item.seed}.json").expect("a template");
    assert_eq!(glob, "metrics/s*.json");
    assert!(is_like(&glob, "metrics/s11.json"));
    assert!(is_like("a*b*b", "axbyb"));
    for other in ["metrics/s1/1.json", "metrics/s11.yaml", "other/s11.json", "metrics/s11.json.bak"] {
        assert!(!is_like(&glob, other), "{other}");
    }
    assert_eq!(wildcard("metrics.json"), None);
}

#[test]
fn paths_are_relative_to_the_folder_of_the_stage() {
    assert_eq!(joined("train", "../data/./x.csv"), "data/x.csv");
    assert_eq!(joined("", "../x"), "../x");
    assert_eq!(joined("a/b", "c"), "a/b/c");
}
