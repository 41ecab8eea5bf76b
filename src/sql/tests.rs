//! The statements of every dialect, as they are printed.

use insta::assert_snapshot;

use super::*;
use crate::aggregates::{CaseNeeds, SlicingNeeds, Task};
use crate::cases::CaseColumns;

fn plan(metrics: &[&str], slicings: &[&[&str]], columns: &CaseColumns, has_baseline: bool) -> Plan {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let needs = CaseNeeds {
        metrics: texts(metrics),
        slicings: slicings
            .iter()
            .map(|columns| SlicingNeeds { columns: texts(columns), metrics: texts(metrics) })
            .collect(),
        decisions: false,
    };
    Plan::of(&needs, columns, None, has_baseline).expect("a plan")
}

fn tables() -> Source {
    Source::Tables { candidate: "ml.preds_v8".into(), baseline: "ml.preds_v7".into() }
}

fn all(plan: &Plan, source: &Source, dialect: Dialect) -> String {
    let texts: Vec<String> = statements(plan, source, dialect).into_iter().map(|one| one.sql).collect();
    texts.join(";\n\n")
}

#[test]
fn classes_with_scores_in_every_dialect() {
    let columns = CaseColumns { positive: Some("o'clock \\ yes".into()), ..CaseColumns::default() };
    let plan = plan(&["f1", "roc_auc"], &[&["region"]], &columns, true);
    for dialect in DIALECTS {
        assert_snapshot!(dialect.name(), all(&plan, &tables(), dialect));
    }
}

#[test]
fn numbers_in_clusters_and_crossed_slices() {
    let columns = CaseColumns { cluster: Some("house".into()), ..CaseColumns::default() };
    let plan = plan(&["rmse"], &[&["region"], &["region", "type of flat"]], &columns, true);
    assert_snapshot!(all(&plan, &tables(), Dialect::DuckDb));
}

#[test]
fn classes_in_one_joined_table() {
    let plan = plan(&["accuracy"], &[], &CaseColumns::default(), true);
    assert_snapshot!(all(&plan, &Source::Joined("ml.joined".into()), Dialect::Postgres));
}

#[test]
fn a_candidate_alone() {
    let columns = CaseColumns { unscored_are_wrong: true, ..CaseColumns::default() };
    let plan = plan(&["log_loss"], &[], &columns, false);
    assert_snapshot!(all(&plan, &Source::Candidate("preds".into()), Dialect::Trino));
}

#[test]
fn every_statement_gives_the_same_columns() {
    let columns = CaseColumns { cluster: Some("user".into()), ..CaseColumns::default() };
    for (metrics, has_baseline) in [(["f1"], true), (["roc_auc"], true), (["roc_auc"], false), (["r2"], true)]
    {
        for columns in [CaseColumns::default(), columns.clone()] {
            let plan = plan(&metrics, &[&["a"], &["b"]], &columns, has_baseline);
            let source = if has_baseline { tables() } else { Source::Candidate("t".into()) };
            for statement in statements(&plan, &source, Dialect::Spark) {
                let select = statement.sql.rsplit("\nSELECT\n").next().expect("a select");
                let select = select.split("\nFROM ").next().expect("columns");
                let names: Vec<&str> = select
                    .split(",\n  ")
                    .map(|column| column.rsplit(' ').next().expect("a name").trim())
                    .collect();
                assert_eq!(names, super::columns(&plan), "{}", statement.name);
            }
        }
    }
}

#[test]
fn names_are_quoted_as_the_engine_quotes() {
    for (dialect, column, table, text) in [
        (Dialect::Spark, "`a``b \"c`", "db.`my table`.`x-y`", "'it\\'s \\\\'"),
        (Dialect::BigQuery, "`a\\`b \"c`", "db.`my table`.`x-y`", "'it\\'s \\\\'"),
        (Dialect::DuckDb, "\"a`b \"\"c\"", "db.\"my table\".\"x-y\"", "'it''s \\'"),
        (Dialect::Snowflake, "\"a`b \"\"c\"", "db.\"my table\".\"x-y\"", "'it''s \\\\'"),
    ] {
        assert_eq!(dialect.column("a`b \"c"), column, "{}", dialect.name());
        assert_eq!(dialect.table("db.`my table`.x-y"), table, "{}", dialect.name());
        assert_eq!(dialect.literal("it's \\"), text, "{}", dialect.name());
    }
    assert_eq!(Dialect::Trino.table("\"a\"\"b.c\".d"), "\"a\"\"b.c\".d");
    assert_eq!(Dialect::Snowflake.column("y_true"), "\"Y_TRUE\"");
    assert_eq!(Dialect::Snowflake.column("yTrue"), "\"yTrue\"");
}

#[test]
fn columns_that_differ_by_case_only_are_refused_where_the_engine_cannot_tell() {
    let columns = CaseColumns { id: Some("Y".into()), label: Some("y".into()), ..CaseColumns::default() };
    let plan = plan(&["accuracy"], &[], &columns, true);
    assert_eq!(columns_alike(&plan, Dialect::Spark), Some(["Y".to_owned(), "y".to_owned()]));
    assert_eq!(columns_alike(&plan, Dialect::Postgres), None);
    assert_eq!(plan.task, Task::Classification);
}
