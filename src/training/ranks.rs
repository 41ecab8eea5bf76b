//! A distributed training is one run: only one of its ranks writes the record.

use std::collections::BTreeMap;
use std::path::Path;

use super::RANKS;
use super::observed::Observer;
use crate::document::Diagnostic;
use crate::secret::masked;

/// The variables in which launchers pass a process its rank, each with the variable for the number of ranks.
const VARIABLES: [(&str, &str); 4] = [
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
];

const ONE_WRITES: &str = "let one rank measure and write: `if int(os.environ[\"RANK\"]) == 0:`, after the ranks have combined their results";

/// This program's own rank and the number of ranks, unless it is the first: only rank 0 writes the record.
pub(super) fn later_rank() -> Option<(u64, u64)> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let ranks = VARIABLES.iter().filter_map(|(rank, size)| Some((number(rank)?, number(size)?)));
    ranks.into_iter().find(|(rank, size)| *rank > 0 && *size > 1)
}

/// What the command wrote for its record, as one text, with a note for the reader. It is an error if ranks wrote
/// different values for one key, or the same promised file.
pub(super) fn as_one(
    lines: Vec<(Option<String>, Vec<u8>)>,
    observer: &Observer,
    root: &Path,
) -> Result<(Vec<u8>, Option<String>), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    for (path, ranks) in observer.written_by_ranks() {
        let shown = path.strip_prefix(&root).unwrap_or(&path).display();
        let message = format!("{} wrote `{shown}`; only the last one's content is left", listed(&ranks));
        problems.push(Diagnostic::new(RANKS, message).help(ONE_WRITES));
    }
    let texts: Vec<(&str, String)> = lines
        .iter()
        .filter_map(|(rank, bytes)| Some((rank.as_deref()?, String::from_utf8_lossy(bytes).into_owned())))
        .collect();
    let (differing, same) = said_by_several(&texts);
    for (key, ranks, values) in &differing {
        let what = key
            .strip_prefix("metrics.")
            .map_or_else(|| format!("`{key}`"), |name| format!("the metric `{name}`"));
        let message =
            format!("{} wrote different values of {what}: {}", listed(ranks), masked(&values.join(", ")));
        problems.push(Diagnostic::new(RANKS, message).help(ONE_WRITES));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let note = same.first().map(|(key, ranks)| {
        let more = if same.len() > 1 { format!(" and {} more", same.len() - 1) } else { String::new() };
        format!("{} wrote the same value of `{key}`{more}; one rank is enough", listed(ranks))
    });
    let mut all = Vec::new();
    for (_, bytes) in lines {
        all.extend(bytes);
        if all.last().is_some_and(|last| *last != b'\n') {
            all.push(b'\n');
        }
    }
    Ok((all, note))
}

type Differing = (String, Vec<String>, Vec<String>);

/// The keys whose last values differ between ranks, with those values; and the keys on which several ranks
/// agree.
fn said_by_several(texts: &[(&str, String)]) -> (Vec<Differing>, Vec<(String, Vec<String>)>) {
    let mut said: BTreeMap<&str, BTreeMap<usize, &str>> = BTreeMap::new();
    for (place, (_, text)) in texts.iter().enumerate() {
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            said.entry(key.trim()).or_default().insert(place, value.trim());
        }
    }
    let (mut differing, mut same) = (Vec::new(), Vec::new());
    for (key, by_rank) in said.into_iter().filter(|(_, by_rank)| by_rank.len() > 1) {
        let ranks: Vec<String> = by_rank.keys().map(|place| texts[*place].0.to_owned()).collect();
        let values: Vec<String> = by_rank.values().map(|value| (*value).to_owned()).collect();
        // Each rank may save its own files and read its own data.
        let is_list = key == "artifact" || key.starts_with("data.");
        if values.iter().all(|value| *value == values[0]) {
            same.push((key.to_owned(), ranks));
        } else if !is_list {
            differing.push((key.to_owned(), ranks, values));
        }
    }
    (differing, same)
}

/// Maximum number of ranks that a message lists.
const NAMED: usize = 8;

fn listed(ranks: &[String]) -> String {
    let named = ranks.get(..NAMED.min(ranks.len())).unwrap_or_default();
    match (named, ranks.len().saturating_sub(NAMED)) {
        ([first, second], 0) => format!("ranks {first} and {second}"),
        ([others @ .., last], 0) if !others.is_empty() => format!("ranks {} and {last}", others.join(", ")),
        ([one], 0) => format!("rank {one}"),
        (named, more) => format!("ranks {} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(texts: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let texts: Vec<(&str, String)> =
            texts.iter().map(|(rank, text)| (*rank, (*text).to_owned())).collect();
        let (differing, same) = said_by_several(&texts);
        let differing =
            differing.into_iter().map(|(key, ranks, _)| format!("{key}: {}", listed(&ranks))).collect();
        (differing, same.into_iter().map(|(key, _)| key).collect())
    }

    #[test]
    fn a_metric_of_several_ranks_is_none() {
        let epochs = "metrics.f1=0.7\nmetrics.f1=0.8\nparams.lr=0.1\n";
        assert_eq!(keys(&[("0", epochs)]), (vec![], vec![]), "later values of one rank replace earlier ones");
        assert_eq!(
            keys(&[
                ("0", epochs),
                ("1", "metrics.f1=0.81\nparams.lr=0.1\nartifact=b\n"),
                ("2", "artifact=c\n")
            ]),
            (vec!["metrics.f1: ranks 0 and 1".to_owned()], vec!["params.lr".to_owned()])
        );
    }

    #[test]
    fn ranks_are_listed_in_words() {
        let ranks = |count: usize| listed(&(0..count).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(ranks(2), "ranks 0 and 1");
        assert_eq!(ranks(3), "ranks 0, 1 and 2");
        assert_eq!(ranks(10), "ranks 0, 1, 2, 3, 4, 5, 6, 7 and 2 more");
    }
}
