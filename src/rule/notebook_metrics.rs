//! Finds the metrics in a text: names with numbers beside them, in print, in a dictionary, in a table.

use std::sync::LazyLock;

use regex::Regex;

use crate::run::Decimal;

/// A metric that a text shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PrintedMetric {
    /// Its name, in small letters.
    pub(super) name: String,
    /// The numbers beside it, as written.
    pub(super) numbers: Vec<String>,
    /// Whether the numbers are progress, epoch by epoch or fold by fold.
    pub(super) history: bool,
}

/// The splits that may come before a metric's name.
const SPLITS: [&str; 10] =
    ["train", "training", "val", "valid", "validation", "test", "testing", "eval", "holdout", "dev"];

/// Names of metrics. Longer ones come before shorter ones.
const NAMES: [&str; 47] = [
    r"balanced[-_ ]accuracy",
    "accuracy",
    "acc",
    r"average[-_ ]precision",
    "precision",
    "recall",
    "sensitivity",
    "specificity",
    "f1",
    "f2",
    r"roc[-_ ]?auc",
    r"auc[-_ ]?roc",
    r"(?:auc[-_ ]?pr|pr[-_ ]?auc)",
    "auroc",
    "auprc",
    "auc",
    "r2",
    r"adjusted[-_ ]r2",
    r"root[-_ ]mean[-_ ]squared[-_ ]error",
    r"mean[-_ ]squared[-_ ]error",
    r"mean[-_ ]absolute[-_ ]percentage[-_ ]error",
    r"(?:mean|median)[-_ ]absolute[-_ ]error",
    r"explained[-_ ]variance",
    "rmse",
    "mse",
    "mae",
    "mape",
    r"log[-_ ]?loss",
    r"hamming[-_ ]loss",
    "loss",
    "perplexity",
    "bleu",
    r"rouge[-_ ]?\w*",
    "wer",
    "cer",
    "iou",
    "jaccard",
    "dice",
    r"ndcg(?:@\d+)?",
    "mrr",
    r"hit[-_ ]?rate",
    "brier",
    "ece",
    r"(?:mcc|matthews[-_ ]corrcoef)",
    r"(?:cohen[-_ ])?kappa",
    "silhouette",
    "map",
];

/// Names that have other meanings too, for which a whole number may be a count.
const LIMIT_KINDS: [&str; 4] = ["map", "dice", "wer", "cer"];

/// A number that looks like a metric.
const FRACTION: &str = r"[-+]?(?:\d*\.\d+(?:e[-+]?\d+)?(?:[ \t]?%)?|\d+[ \t]?%)";
/// Any number.
const NUMBER: &str = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?:[ \t]?%)?";

fn name() -> String {
    let names = NAMES.join("|");
    let splits = SPLITS.join("|");
    format!(r"(?:(?:{splits})[-_/ ])?(?:{names})(?:[-_ ]?(?:score|macro|micro|weighted))*")
}

/// A name, the text between, and a number. The less text there is between them, the more forms of number
/// count.
static METRIC: LazyLock<Regex> = LazyLock::new(|| {
    let name = name();
    // `accuracy   0.91`, as in tables; a whole number counts only if it is surely a table.
    let table = format!(r#"['"]?[\s|,]{{1,40}}(?:-[ \t]+)?({FRACTION})|[ |]*(?:\t|  |\|)[ \t|]*({NUMBER})"#);
    // `accuracy on the test set is 0.91`
    let words = "is|was|are|of|at|now|about|reached|reaches|equals|on the|on|train|test|validation|holdout|set|data|value";
    let sentence = format!(r"(?:[ \t]+(?:{words})){{1,6}}[ \t]+({FRACTION})");
    // `Accuracy (test): 0.91`, `Mean F1 over 5 folds -> .91`, `'loss': tensor(0.1)`, `'acc': [0.8, 0.9]`
    let said = format!(
        r#"['"]?(?:[ \t(][^\n:=|.,;]{{0,30}}?)?[ \t]*(?::|=|->|→|≈|~)[>=]?[ \t]*(?:[a-z_][\w.]*\()?[(\[]*['"]?({NUMBER}(?:[ \t]*,[ \t]*{NUMBER})*)"#
    );
    let pattern = format!(r"(?i)(?:^|[^a-z0-9])({name})(?:{table}|{sentence}|{said})");
    Regex::new(&pattern).expect("the pattern is a constant")
});

/// A cell of a table that is a name and nothing else.
static WHOLE_NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!("(?i)^{}$", name())).expect("the pattern is a constant"));

/// Words that mark a line as progress of the training.
static PROGRESS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?i)\b(?:epoch|step|iter|iteration|batch|fold|round)\b|\b\d+/\d+\b|\bit/s\b";
    Regex::new(pattern).expect("the pattern is a constant")
});

/// All metrics that a text shows, each once.
pub(super) fn metrics_shown(text: &str) -> Vec<PrintedMetric> {
    let text = text.replace('²', "2");
    let mut all: Vec<PrintedMetric> = Vec::new();
    let (history, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| PROGRESS.is_match(line));
    for (text, history) in [(rest.join("\n"), false), (history.join("\n"), true)] {
        for (name, number) in printed(&text) {
            add(&mut all, name, number, history);
        }
    }
    for (name, number, history) in tables(&text) {
        add(&mut all, name, number, history);
    }
    all
}

fn add(all: &mut Vec<PrintedMetric>, name: &str, number: &str, history: bool) {
    let (name, number) = (name.trim().to_lowercase(), number.trim().to_owned());
    if number.bytes().all(|byte| byte.is_ascii_digit()) && LIMIT_KINDS.contains(&name.as_str()) {
        return;
    }
    match all.iter_mut().find(|shown| shown.name == name && shown.history == history) {
        Some(shown) if shown.numbers.contains(&number) => {}
        Some(shown) => shown.numbers.push(number),
        None => all.push(PrintedMetric { name, numbers: vec![number], history }),
    }
}

/// Names with the numbers beside them.
fn printed(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for groups in METRIC.captures_iter(text) {
        let numbers = (2..=5).find_map(|group| groups.get(group));
        let (Some(name), Some(numbers)) = (groups.get(1), numbers) else { continue };
        // `loss: 3x` and `recall: 2026-05-30` are not numbers.
        let mut rest = text[numbers.end()..].chars();
        let next = rest.next();
        let goes_on = next.is_some_and(|next| next.is_alphanumeric() || next == '_')
            || next == Some('-')
                && !numbers.as_str().contains('.')
                && rest.next().is_some_and(|c| c.is_ascii_digit());
        if !goes_on {
            found.extend(numbers.as_str().split(',').map(|number| (name.as_str(), number)));
        }
    }
    found
}

/// Numbers in the columns of tables whose head names a metric, and whether that head counts epochs.
fn tables(text: &str) -> Vec<(&str, &str, bool)> {
    let mut found = Vec::new();
    // Names, each with its column counted from the right.
    let mut head: Vec<(usize, &str)> = Vec::new();
    let mut history = false;
    for line in text.lines() {
        let cells: Vec<&str> = line
            .split(['\t', '|'])
            .flat_map(|part| part.split("  "))
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        let names: Vec<(usize, &str)> = cells
            .iter()
            .rev()
            .enumerate()
            .filter(|(_, cell)| WHOLE_NAME.is_match(cell))
            .map(|(at, cell)| (at, *cell))
            .collect();
        let numbers: Vec<&str> = line
            .rsplit([' ', '\t', '|'])
            .filter(|word| !word.is_empty())
            .take_while(|word| is_number(word))
            .collect();
        let rule = line.chars().all(|c| " \t-=|+:".contains(c));
        if !names.is_empty() && numbers.is_empty() {
            (head, history) = (names, PROGRESS.is_match(line));
        } else if numbers.is_empty() && !rule {
            head.clear();
        }
        found.extend(head.iter().filter_map(|(at, name)| Some((*name, *numbers.get(*at)?, history))));
    }
    found
}

fn is_number(word: &str) -> bool {
    let word = word.strip_suffix('%').unwrap_or(word);
    word.eq_ignore_ascii_case("nan") || Decimal::parse(word).is_ok()
}

/// Whether a number matches a recorded one, as far as its digits go; `93 %` and `93` may be 0.93.
pub(super) fn is_recorded(number: &str, recorded: &Decimal) -> bool {
    let (digits, percent) = match number.strip_suffix('%') {
        Some(digits) => (digits.trim(), true),
        None => (number, false),
    };
    let Ok(shown) = Decimal::parse(digits) else { return false };
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let behind = mantissa.split_once('.').map_or(0, |(_, behind)| behind.len());
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let one = Decimal::whole(1);
    // A number rounded to a whole one says little if all values are between 0 and 1.
    let reach = if behind == 0 && exponent == 0 && !percent && shown.magnitude() <= one {
        Decimal::whole(0)
    } else {
        let places = exponent - i64::try_from(behind).unwrap_or(i64::MAX) - 1;
        match Decimal::parse(&format!("5e{places}")) {
            Ok(reach) => reach,
            Err(_) => return false,
        }
    };
    let near = |value: &Decimal| shown.minus(value).magnitude() <= reach;
    near(recorded) || (percent || shown.magnitude() > one) && near(&recorded.times(&Decimal::whole(100)))
}

/// Whether two names mean the same metric: `Test F1-score` and `eval/f1`. A metric on the training data is
/// never the same as one on other data.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    plain(one) == plain(other)
}

fn plain(name: &str) -> (bool, String) {
    let lower = name.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let training = words.iter().any(|word| matches!(*word, "train" | "training"));
    let rest: String = words
        .iter()
        .filter(|word| !SPLITS.contains(word) && !matches!(**word, "score" | "metrics"))
        .copied()
        .collect();
    let known = match rest.as_str() {
        "acc" => "accuracy",
        "f1score" => "f1",
        "auc" | "auroc" | "aucroc" => "rocauc",
        "auprc" | "aucpr" => "prauc",
        "meansquarederror" => "mse",
        "rootmeansquarederror" => "rmse",
        "meanabsoluteerror" => "mae",
        "meanabsolutepercentageerror" => "mape",
        "matthewscorrcoef" => "mcc",
        "cohenkappa" => "kappa",
        other => other,
    };
    (training, known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The metrics of a text, as `name number number`.
    fn shown(text: &str) -> Vec<String> {
        metrics_shown(text)
            .into_iter()
            .map(|shown| format!("{} {}", shown.name, shown.numbers.join(" ")))
            .collect()
    }

    #[test]
    fn metrics_are_found_as_people_print_them() {
        for (text, found) in [
            ("F1: 0.84\n", "f1 0.84"),
            ("accuracy                           0.91      2000\n", "accuracy 0.91"),
            ("ROC AUC = 93 %", "roc auc 93 %"),
            ("Accuracy (test): 0.91", "accuracy 0.91"),
            ("accuracy is 0.91", "accuracy 0.91"),
            ("Test accuracy on the holdout set was 91.5%", "test accuracy 91.5%"),
            ("Accuracy -> 0.91", "accuracy 0.91"),
            ("AUC-ROC: 0.91", "auc-roc 0.91"),
            ("Mean F1 over 5 folds: 0.91", "f1 0.91"),
            ("f1: .91", "f1 .91"),
            ("RMSE: 12", "rmse 12"),
            ("Accuracy: 91", "accuracy 91"),
            ("mean_squared_error: 0.21", "mean_squared_error 0.21"),
            ("loss: tensor(0.1234, grad_fn=<NllLossBackward0>)", "loss 0.1234"),
            ("'val_accuracy': [0.80, 0.91]", "val_accuracy 0.80 0.91"),
            ("R² = 0.91", "r2 0.91"),
            ("f1_score\t0.84\t\n", "f1_score 0.84"),
            ("rmse      12\nf", "rmse 12"),
            (r#"{"f1":0.84}"#, "f1 0.84"),
        ] {
            assert_eq!(shown(text), [found], "{text}");
        }
        assert_eq!(
            shown("{'recall': 0.875, 'precision': np.float64(0.81)}"),
            ["recall 0.875", "precision 0.81"]
        );
        assert_eq!(shown("Epoch 3/3 - loss: 0.1200 - val_loss: 0.2"), ["loss 0.1200", "val_loss 0.2"]);
    }

    #[test]
    fn columns_of_tables_are_read_by_their_heads() {
        let report = "              precision    recall  f1-score   support

           0       0.85      0.80      0.82      1000
           1       0.83      0.88      0.85      1000

    accuracy                           0.84      2000
   macro avg       0.84      0.84      0.83      2000
";
        let found = metrics_shown(report);
        let numbers =
            |name: &str| found.iter().find(|shown| shown.name == name).expect(name).numbers.join(" ");
        assert!(numbers("precision").starts_with("0.85 0.83"), "{found:?}");
        assert!(numbers("f1-score").starts_with("0.82 0.85"), "{found:?}");
        assert_eq!(numbers("accuracy"), "0.84");
        assert_eq!(shown("   model    f1  roc auc\n0     rf  0.84     0.91\n"), ["roc auc 0.91", "f1 0.84"]);
        assert_eq!(shown("| model | f1 |\n| --- | --- |\n| rf | 0.84 |\n"), ["f1 0.84"]);
    }

    #[test]
    fn what_was_on_the_way_is_told_from_what_came_out() {
        let text =
            "Epoch 1/2\n32/32 - 1s 5ms/step - accuracy: 0.61\nTest accuracy: 0.84\nEpoch\tLoss\n1\t0.5\n";
        let found = metrics_shown(text);
        let of = |history: bool| {
            let found = found.iter().filter(|shown| shown.history == history);
            found.map(|shown| format!("{} {}", shown.name, shown.numbers.join(" "))).collect::<Vec<_>>()
        };
        assert_eq!(of(true), ["accuracy 0.61", "loss 0.5"]);
        assert_eq!(of(false), ["test accuracy 0.84"]);
    }

    #[test]
    fn what_shows_no_metric_is_left_alone() {
        for text in [
            "2000 rows read",
            "loss of generality",
            "recall the 3 steps",
            "map of 12 regions",
            "map: 12",
            "placc: 0.5",
            "loss_weight: 0.5",
            "loss of generality. Rate: 0.1",
            "recall: 2026-05-30",
            "accuracy: 3x",
        ] {
            assert_eq!(shown(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_number_is_a_recorded_one_as_far_as_its_digits_go() {
        let is =
            |number: &str, recorded: &str| is_recorded(number, &Decimal::parse(recorded).expect("a number"));
        for (number, recorded) in [
            ("0.84", "0.8420"),
            ("0.85", "0.845"),
            ("84.2%", "0.8420"),
            ("84", "0.842"),
            ("12", "12.3"),
            (".84", "0.84"),
            ("1.2e-3", "0.00123"),
        ] {
            assert!(is(number, recorded), "{number} {recorded}");
        }
        for (number, recorded) in
            [("0.84", "0.85"), ("0.99", "0.842"), ("1", "0.842"), ("0.842", "0.8426"), ("84", "0.99")]
        {
            assert!(!is(number, recorded), "{number} {recorded}");
        }
    }

    #[test]
    fn names_are_compared_loosely() {
        for (one, other) in [
            ("Test F1-score", "eval/f1"),
            ("acc", "val_accuracy"),
            ("AUC-ROC", "roc_auc"),
            ("train_loss", "training loss"),
        ] {
            assert!(same_name(one, other), "{one} {other}");
        }
        for (one, other) in [("f1", "f1_macro"), ("train accuracy", "accuracy"), ("f1", "recall")] {
            assert!(!same_name(one, other), "{one} {other}");
        }
    }
}
