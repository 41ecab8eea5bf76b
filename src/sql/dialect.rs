//! What engines write differently: quotes, types, and the MD5 of a text.

use crate::aggregates::BUCKET_DIGITS;

/// An engine's dialect of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Apache Spark.
    Spark,
    /// Databricks.
    Databricks,
    /// DuckDB.
    DuckDb,
    /// Trino.
    Trino,
    /// BigQuery.
    BigQuery,
    /// Snowflake.
    Snowflake,
    /// PostgreSQL.
    Postgres,
}

/// Every dialect.
pub const DIALECTS: [Dialect; 7] = [
    Dialect::Spark,
    Dialect::Databricks,
    Dialect::DuckDb,
    Dialect::Trino,
    Dialect::BigQuery,
    Dialect::Snowflake,
    Dialect::Postgres,
];

impl Dialect {
    /// Its name in the option `--engine`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spark => "spark",
            Self::Databricks => "databricks",
            Self::DuckDb => "duckdb",
            Self::Trino => "trino",
            Self::BigQuery => "bigquery",
            Self::Snowflake => "snowflake",
            Self::Postgres => "postgres",
        }
    }

    /// Whether `"id"` is a text and not a column.
    fn quotes_with_backticks(self) -> bool {
        matches!(self, Self::Spark | Self::Databricks | Self::BigQuery)
    }

    /// Whether a backslash in a text begins an escape.
    fn escapes_with_backslash(self) -> bool {
        matches!(self, Self::Spark | Self::Databricks | Self::BigQuery | Self::Snowflake)
    }

    /// Whether it treats columns whose names differ by case only as one.
    pub fn ignores_case(self) -> bool {
        !matches!(self, Self::Snowflake | Self::Postgres)
    }

    /// A name in quotes, with its own quotes escaped.
    fn quoted(self, name: &str) -> String {
        match self {
            Self::BigQuery => format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`")),
            _ if self.quotes_with_backticks() => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// The name of a column. Snowflake keeps a name that was created without quotes in capitals.
    pub(super) fn column(self, name: &str) -> String {
        if self == Self::Snowflake && is_plain(name) && *name == name.to_lowercase() {
            return self.quoted(&name.to_uppercase());
        }
        self.quoted(name)
    }

    /// A table, as `catalog.schema.table`. Plain parts stay as they are written; others are quoted.
    pub(super) fn table(self, name: &str) -> String {
        let parts: Vec<String> = split_table(name)
            .into_iter()
            .map(
                |part| if is_plain(&part.text) && !part.quoted { part.text } else { self.quoted(&part.text) },
            )
            .collect();
        parts.join(".")
    }

    /// A text literal.
    pub(super) fn literal(self, text: &str) -> String {
        match self {
            // Two quotes are one quote in Snowflake, two texts in Spark, and an error in BigQuery.
            Self::Snowflake => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            _ if self.escapes_with_backslash() => {
                format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
            }
            _ => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// The type of texts.
    pub(super) fn text_type(self) -> &'static str {
        match self {
            Self::Spark | Self::Databricks | Self::BigQuery => "STRING",
            Self::Postgres => "TEXT",
            Self::DuckDb | Self::Trino | Self::Snowflake => "VARCHAR",
        }
    }

    /// The type of doubles.
    pub(super) fn double_type(self) -> &'static str {
        match self {
            Self::BigQuery => "FLOAT64",
            Self::Postgres => "DOUBLE PRECISION",
            _ => "DOUBLE",
        }
    }

    /// The type of counts and sums. 2^63 is too small for a billion squared errors.
    pub(super) fn decimal_type(self) -> &'static str {
        match self {
            Self::BigQuery => "BIGNUMERIC",
            Self::Snowflake => "NUMBER(38,0)",
            _ => "DECIMAL(38,0)",
        }
    }

    /// The type of whole numbers.
    pub(super) fn whole_type(self) -> &'static str {
        if self == Self::BigQuery { "INT64" } else { "BIGINT" }
    }

    /// A double in these units, rounded to the nearest whole number; halves are rounded up.
    pub(super) fn rounded(self, expression: &str, units: &str) -> String {
        // Cast to BIGINT first: PostgreSQL keeps only 15 digits when it casts a double to a decimal.
        cast(&format!("FLOOR({expression} * {units} + 0.5)"), self.whole_type())
    }

    /// The square of a double. PostgreSQL refuses one that is too small for a double; it rounds to 0 in millionths.
    pub(super) fn square(self, value: &str) -> String {
        match self {
            Self::Postgres => {
                format!("(CASE WHEN ABS({value}) < 0.0000001 THEN 0 ELSE {value} * {value} END)")
            }
            _ => format!("{value} * {value}"),
        }
    }

    /// The bucket of a text.
    pub(super) fn bucket(self, text: &str) -> String {
        let hex = match self {
            Self::Trino => format!("LOWER(TO_HEX(MD5(TO_UTF8({text}))))"),
            Self::BigQuery => format!("TO_HEX(MD5({text}))"),
            _ => format!("MD5({text})"),
        };
        format!("SUBSTR({hex}, 1, {BUCKET_DIGITS})")
    }
}

/// A cast.
pub(super) fn cast(expression: &str, to: &str) -> String {
    format!("CAST({expression} AS {to})")
}

/// Whether a name needs no quotes in any dialect, unless it is a keyword of SQL.
fn is_plain(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|rest| rest.is_ascii_alphanumeric() || rest == '_')
}

struct TablePart {
    text: String,
    quoted: bool,
}

/// The parts of a table's name, which may be in quotes.
fn split_table(name: &str) -> Vec<TablePart> {
    let mut parts = vec![TablePart { text: String::new(), quoted: false }];
    let mut within: Option<char> = None;
    let mut characters = name.chars().peekable();
    while let Some(next) = characters.next() {
        let Some(part) = parts.last_mut() else { break };
        match (within, next) {
            (Some(quote), next) if next == quote && characters.peek() == Some(&quote) => {
                characters.next();
                part.text.push(quote);
            }
            (Some(quote), next) if next == quote => within = None,
            (None, '"' | '`') if part.text.is_empty() => {
                part.quoted = true;
                within = Some(next);
            }
            (None, '.') => parts.push(TablePart { text: String::new(), quoted: false }),
            (_, next) => part.text.push(next),
        }
    }
    parts
}
