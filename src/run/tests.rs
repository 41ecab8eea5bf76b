//! Numbers, paths, digests and times, each by itself.

use bigdecimal::BigDecimal;
use proptest::prelude::*;

use super::*;
use crate::document::Path;

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

#[test]
fn a_drop_of_exactly_five_thousandths_is_that() {
    let change = decimal("0.837").minus(&decimal("0.842"));
    assert_eq!(change.to_string(), "-0.005");
    assert_eq!(change.negated(), decimal("0.005"));
    assert!(change.magnitude() <= decimal("5e-3"));
}

#[test]
fn the_same_value_is_written_in_many_ways() {
    for text in ["0.10", "1e-1", "1E-1", "+0.1", "00.1", ".1", "0.1e0", "10e-2"] {
        assert_eq!(decimal(text), decimal("0.1"), "{text}");
        assert_eq!(decimal(text).written(), text);
    }
    assert_eq!(decimal("-0"), decimal("0"));
}

#[test]
fn what_is_not_decimal_notation_is_refused() {
    for text in [
        "", "-", ".", "e5", "1e", "1e+", "0x1", "1_000", "1,5", " 1", "1 ", "inf", "NaN", "1..2", "--1", "１",
    ] {
        assert_eq!(Decimal::parse(text).err(), Some(NotDecimal::Syntax), "{text}");
    }
    assert_eq!(Decimal::parse("1e10001").err(), Some(NotDecimal::Exponent));
    assert_eq!(Decimal::parse("1e-99999999999999999999").err(), Some(NotDecimal::Exponent));
    assert_eq!(Decimal::parse(&"9".repeat(1_001)).err(), Some(NotDecimal::TooManyDigits));
    assert!(Decimal::parse(&"9".repeat(1_000)).is_ok());
    assert!(Decimal::parse("1e0000010000").is_ok());
}

#[test]
fn a_share_is_of_the_magnitude() {
    assert_eq!(decimal("5").percent_of(&decimal("100")), decimal("5"));
    assert_eq!(decimal("10").percent_of(&decimal("-100")), decimal("10"));
    assert_eq!(decimal("0.1").percent_of(&decimal("0.3")), decimal("0.0003"));
}

proptest! {
    #[test]
    fn order_is_that_of_the_numbers(one in "-?[0-9]{1,6}(\\.[0-9]{1,6})?(e-?[0-9]{1,2})?", other in "-?[0-9]{1,6}(\\.[0-9]{1,6})?") {
        let exact = |text: &str| text.parse::<BigDecimal>().expect("a number");
        prop_assert_eq!(decimal(&one).cmp(&decimal(&other)), exact(&one).cmp(&exact(&other)));
        prop_assert_eq!(decimal(&one).minus(&decimal(&other)).plus(&decimal(&other)), decimal(&one));
    }

    #[test]
    fn arithmetic_is_exact_whatever_the_size(one in "-?[0-9]{1,12}(\\.[0-9]{1,12})?", other in "-?[0-9]{1,12}(\\.[0-9]{1,12})?") {
        let exact = |text: &str| text.parse::<BigDecimal>().expect("a number");
        let (difference, sum) = (exact(&one) - exact(&other), exact(&one) + exact(&other));
        prop_assert_eq!(decimal(&one).minus(&decimal(&other)).written().to_owned(), difference.normalized().to_plain_string());
        prop_assert_eq!(decimal(&one).plus(&decimal(&other)).written().to_owned(), sum.normalized().to_plain_string());
        prop_assert_eq!(decimal(&one).cmp(&decimal(&other)), exact(&one).cmp(&exact(&other)));
        prop_assert_eq!(decimal(&one).negated().magnitude(), decimal(&one).magnitude());
    }

    #[test]
    fn no_text_makes_a_number_panic(text in ".{0,40}") {
        let _ = Decimal::parse(&text);
        let _ = FieldPath::parse(&text);
        let _ = Moment::parse(&text);
        let _ = parse_duration(&text);
        let _ = Reference::parse(&text);
        let _ = Digest::parse(&text);
    }

    #[test]
    fn a_path_is_read_as_it_is_shown(keys in prop::collection::vec("[a-zA-Z0-9_. \\[\\]\"é/-]{1,8}", 1..5)) {
        let path = keys.iter().fold(Path::root(), |path, key| path.key(key));
        let read = FieldPath::parse(&path.to_string()).expect("what is shown can be read");
        prop_assert_eq!(read.to_path(), Some(path));
    }
}

#[test]
fn paths_lead_through_keys_lists_and_quotes() {
    let steps =
        |text: &str| FieldPath::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}")).steps().len();
    assert_eq!(steps("validation.split"), 2);
    assert_eq!(steps("data[].digest"), 3);
    assert_eq!(steps("data[role=train].uri"), 3);
    assert_eq!(steps("data[0]"), 2);
    assert_eq!(steps("params.\"lr.decay\""), 2);
    assert_eq!(steps("/a/b~1c/0"), 3);
    for text in ["", ".", "a.", ".a", "a..b", "data[", "data]", "data[role=", "a.\"b", "\"\"x"] {
        assert!(FieldPath::parse(text).is_err(), "{text}");
    }
}

#[test]
fn durations_are_whole_hours_days_and_weeks() {
    for (text, hours) in [("12h", 12), ("30d", 720), ("2w", 336), ("0d", 0)] {
        assert_eq!(parse_duration(text).expect(text).as_hours(), hours);
    }
    for text in ["", "d", "1.5d", "30 d", "30D", "1m", "-1d", "99999999999999999999d"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

#[test]
fn a_time_without_a_zone_is_utc() {
    let read = |text: &str| Moment::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert!(read("2026-05-30T12:00:00").zone_assumed);
    assert_eq!(read("2026-05-30T12:00:00").at, read("2026-05-30T14:00:00+02:00").at);
    assert!(!read("2026-05-30T12:00:00Z").zone_assumed);
    for text in ["yesterday", "2026-05-30", "12:00", "2026-13-01T00:00:00Z", "1717070400"] {
        assert!(Moment::parse(text).is_err(), "{text}");
    }
}

#[test]
fn digests_carry_their_algorithm() {
    assert_eq!(Digest::parse("sha256:AA11"), Digest::parse("sha256:aa11"));
    assert_ne!(Digest::parse("sha256:aa11"), Digest::parse("md5:aa11"));
    assert!(Digest::parse("mlflow:9010d92e").is_weak());
    assert!(!Digest::parse("sha256:aa11").is_weak());
}

#[test]
fn references_are_read_by_their_prefix() {
    let reference =
        |text: &str| Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {}", error.message));
    assert_eq!(reference("runs/a.json"), Reference::Files("runs/a.json".into()));
    assert_eq!(reference("git:main"), Reference::Git { revision: "main".into(), path: None });
    assert_eq!(
        reference("git:main:runs/a:b.json"),
        Reference::Git { revision: "main".into(), path: Some("runs/a:b.json".into()) }
    );
    assert_eq!(reference("stage:production"), Reference::Stage("production".into()));
    assert_eq!(
        reference("mlflow:models:/churn@champion"),
        Reference::Tracker { tracker: "mlflow", rest: "models:/churn@champion".into() }
    );
    for text in ["", "git:", "git::x", "git:main:", "stage:", "mlflow:", "a\nb"] {
        assert!(Reference::parse(text).is_err(), "{text}");
    }
    for text in ["runs/a.json", "git:main", "git:main:x", "stage:s", "dvc:.@main"] {
        assert_eq!(reference(text).to_string(), text);
    }
}
