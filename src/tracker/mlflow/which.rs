//! Parses the part after `mlflow:`.

use percent_encoding::percent_decode_str;

use super::{NOT_THERE, SYNTAX};
use crate::document::Diagnostic;
use crate::source::mlflow::is_logged_model;

/// What a reference means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// `runs:/ID`; a path after it names an artifact of the same run.
    Run(String),
    /// `models:/NAME/3`, `models:/NAME@champion`, `models:/NAME/Production`.
    Model { name: String, chosen: Chosen },
    /// `models:/m-…`
    LoggedModel(String),
    /// `experiments:/NAME`
    Experiment(String),
    /// A folder in `mlruns`.
    Path(String),
}

/// Which version of a model.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    Number(u64),
    Alias(String),
    Stage(String),
    Latest,
}

/// MLflow's stages, except `None`.
const STAGES: [&str; 3] = ["production", "staging", "archived"];

impl Which {
    pub(super) fn parse(rest: &str) -> Result<Self, Box<Diagnostic>> {
        let wrong = || unclear(rest);
        if let Some(run) = rest.strip_prefix("runs:/") {
            let id = run.trim_start_matches('/').split('/').next().unwrap_or_default();
            // An id becomes part of paths and of requests to a server.
            let plain =
                !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            return if plain { Ok(Self::Run(id.to_owned())) } else { Err(wrong()) };
        }
        if let Some(name) = rest.strip_prefix("experiments:/") {
            return named(name).map(Self::Experiment).ok_or_else(wrong);
        }
        let Some(model) = rest.strip_prefix("models:/") else {
            // Anything else with `:/` is a typo in one of these.
            return if rest.contains(":/") { Err(wrong()) } else { Ok(Self::Path(rest.to_owned())) };
        };
        if is_logged_model(model) {
            return Ok(Self::LoggedModel(model.to_owned()));
        }
        // A name may contain an `@`, so the part after the last `/` is tried first, as in MLflow.
        let by_version = model.rsplit_once('/').and_then(|(name, last)| Some((name, Chosen::parse(last)?)));
        let by_alias = || {
            let (name, alias) = model.rsplit_once('@')?;
            let chosen = match alias.to_lowercase().as_str() {
                // No alias can have this name; some servers resolve it to the newest version.
                "latest" => Chosen::Latest,
                _ => Chosen::Alias(named(&decoded(alias))?),
            };
            Some((name, chosen))
        };
        let (name, chosen) = by_version.or_else(by_alias).ok_or_else(wrong)?;
        Ok(Self::Model { name: named(name).ok_or_else(wrong)?, chosen })
    }
}

impl Chosen {
    /// A number, `latest` or a stage.
    fn parse(text: &str) -> Option<Self> {
        match text.to_lowercase().as_str() {
            "latest" => Some(Self::Latest),
            stage if STAGES.contains(&stage) => Some(Self::Stage(text.to_owned())),
            number => number.parse().ok().filter(|number| *number > 0).map(Self::Number),
        }
    }
}

/// A name as written, if it is valid both as written and with URL escapes such as `%2F` decoded.
fn named(text: &str) -> Option<String> {
    let is_name = |name: &str| {
        let climbs = name.split(['/', '\\']).any(|part| part == ".." || part == ".");
        !name.is_empty() && name.len() <= 500 && !climbs && !name.contains(char::is_control)
    };
    percent_decode_str(text).decode_utf8().ok().filter(|name| is_name(name))?;
    is_name(text).then(|| text.to_owned())
}

/// A name with URL escapes such as `%20` decoded, for when the name as written does not exist.
pub(super) fn decoded(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// Suggests a prefix if a name or an id without one was taken for a folder.
pub(super) fn without_prefix(mut why: Box<Diagnostic>, rest: &str) -> Box<Diagnostic> {
    if why.code != NOT_THERE || rest.contains(['/', '\\']) || rest.starts_with("mlruns") {
        return why;
    }
    let is_id = rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    why.help = Some(match rest.split_once('@') {
        _ if is_id => format!("did you mean `mlflow:runs:/{rest}`?"),
        Some(_) => format!("did you mean `mlflow:models:/{rest}`?"),
        None => format!(
            "write `mlflow:models:/{rest}@champion` for a registered model, or `mlflow:runs:/ID` for a run"
        ),
    });
    why
}

pub(super) fn unclear(rest: &str) -> Box<Diagnostic> {
    Diagnostic::new(SYNTAX, format!("`mlflow:{rest}` does not say which run"))
        .help(
            "write `mlflow:runs:/ID`, `mlflow:models:/NAME/3`, `mlflow:models:/NAME@champion`, `mlflow:models:/m-…`, \
             or the folder of a run in `mlruns`",
        )
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, chosen: Chosen) -> Which {
        Which::Model { name: name.into(), chosen }
    }

    #[test]
    fn names_are_those_of_mlflow() {
        let id = "bbd34f3c36fb40a8b54382836d077d68";
        for (text, which) in [
            (format!("runs:/{id}"), Which::Run(id.into())),
            (format!("runs:/{id}/model"), Which::Run(id.into())),
            ("models:/churn/10".into(), model("churn", Chosen::Number(10))),
            ("models:/churn@champion".into(), model("churn", Chosen::Alias("champion".into()))),
            ("models:/a@b@c".into(), model("a@b", Chosen::Alias("c".into()))),
            ("models:/churn/Production".into(), model("churn", Chosen::Stage("Production".into()))),
            ("models:/churn/LATEST".into(), model("churn", Chosen::Latest)),
            ("models:/Bahn%20Prognose/2".into(), model("Bahn%20Prognose", Chosen::Number(2))),
            ("models:/ndcg@10/1".into(), model("ndcg@10", Chosen::Number(1))),
            ("models:/ndcg@10/Production".into(), model("ndcg@10", Chosen::Stage("Production".into()))),
            ("models:/churn@Latest".into(), model("churn", Chosen::Latest)),
            ("models:/churn@latest".into(), model("churn", Chosen::Latest)),
            ("models:/Bahn Prognose/2".into(), model("Bahn Prognose", Chosen::Number(2))),
            ("models:/cat.schema.churn/2".into(), model("cat.schema.churn", Chosen::Number(2))),
            (format!("models:/m-{id}"), Which::LoggedModel(format!("m-{id}"))),
            ("mlruns/1/abc".into(), Which::Path("mlruns/1/abc".into())),
        ] {
            assert_eq!(Which::parse(&text).expect(&text), which, "{text}");
        }
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        for text in [
            "runs:/",
            "runs:/../x",
            "runs:/a b",
            "models:/churn",
            "models:/churn/",
            "models:/churn/two",
            "models:/churn/0",
            "models:/churn/-1",
            "models:/@champion",
            "models:/churn@",
            "models:/../x/1",
            "models:/a%00b/1",
            "run:/abc",
            "experiments:/",
        ] {
            assert!(Which::parse(text).is_err(), "{text}");
        }
    }
}
