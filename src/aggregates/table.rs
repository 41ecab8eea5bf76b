//! A table of aggregates as it is written: guards, facts, cells and scores in one file.

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKind {
    /// Cases by slice, bucket and decision, with their sums.
    Cell,
    /// Something that is known about all cases.
    Fact,
    /// A count of what makes a verdict impossible.
    Guard,
    /// Cases by slice, label and the bins of both scores.
    Score,
}

/// Every kind, in the order of the file.
const KINDS: [RowKind; 4] = [RowKind::Cell, RowKind::Fact, RowKind::Guard, RowKind::Score];

impl RowKind {
    /// Its name in the column `kind`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cell => "cell",
            Self::Fact => "fact",
            Self::Guard => "guard",
            Self::Score => "score",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.name() == name)
    }
}

/// The columns before the sums.
pub const FIXED_COLUMNS: [&str; 8] =
    ["kind", "name", "slice", "bucket", "truth", "baseline", "candidate", "n"];

/// One row. Empty text means no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub kind: RowKind,
    /// The name of a guard or a fact.
    pub name: String,
    /// `all`, or a slice such as `region=EU`.
    pub slice: String,
    /// The first digits of the MD5 of the id, or of the cluster.
    pub bucket: String,
    /// The label.
    pub truth: String,
    /// The baseline's prediction, or the bin of its score.
    pub baseline: String,
    /// The candidate's.
    pub candidate: String,
    /// The count; `None` if the warehouse gave none.
    pub n: Option<u64>,
    /// The sums, in the order of their columns.
    pub sums: Vec<Option<i128>>,
}

impl Row {
    /// A guard or a fact.
    pub fn named(kind: RowKind, name: &str, n: u64, sums: usize) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            slice: String::new(),
            bucket: String::new(),
            truth: String::new(),
            baseline: String::new(),
            candidate: String::new(),
            n: Some(n),
            sums: vec![None; sums],
        }
    }

    fn texts(&self) -> [&str; 7] {
        [
            self.kind.name(),
            &self.name,
            &self.slice,
            &self.bucket,
            &self.truth,
            &self.baseline,
            &self.candidate,
        ]
    }
}

/// Rows with the names of their sums.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AggregateTable {
    /// The columns after the fixed ones.
    pub sum_columns: Vec<String>,
    /// The rows, in any order.
    pub rows: Vec<Row>,
}

impl AggregateTable {
    /// As CSV, sorted so that equal aggregates give equal bytes.
    pub fn to_csv(&mut self) -> Vec<u8> {
        self.rows.sort_by(|a, b| a.texts().cmp(&b.texts()));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let columns = FIXED_COLUMNS.iter().copied().chain(self.sum_columns.iter().map(String::as_str));
        let mut wrote = writer.write_record(columns);
        for row in &self.rows {
            let number = |number: Option<String>| number.unwrap_or_default();
            let n = number(row.n.map(|n| n.to_string()));
            let sums = row.sums.iter().map(|sum| number(sum.map(|sum| sum.to_string())));
            let texts = row.texts().map(str::to_owned).into_iter();
            wrote = wrote.and_then(|()| writer.write_record(texts.chain([n]).chain(sums)));
        }
        // Writing to memory does not fail.
        let _ = wrote;
        writer.into_inner().unwrap_or_default()
    }
}
