//! MLflow's SQLite database, its default store. It is only read, except that tags are written on request.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row};

use super::settings::workspace;
use super::{MOST_RUNS, PART, STORE, Store, TakeRuns, broken, deleted, not_tagged, too_many};
use crate::document::Diagnostic;
use crate::source::mlflow::{Dataset, LoggedModel, Point, Reading, Rows, Series, Version};

/// How long to wait for a writer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Maximum size in bytes of one value.
const MOST: usize = 16 << 20;

pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
    /// The columns of tables seen so far; they differ between versions of MLflow.
    columns: RefCell<HashMap<String, Vec<String>>>,
}

type Read<T> = Result<T, Box<Diagnostic>>;

impl Database {
    pub(super) fn open(path: &Path) -> Read<Self> {
        if !path.is_file() {
            return Err(Diagnostic::new(super::NO_STORE, format!("`{}` was not found", path.display()))
                .help("MLFLOW_TRACKING_URI names it, relative to the current folder")
                .boxed());
        }
        let connection = connect(path).map_err(|error| unreadable(path, &error))?;
        let database = Self { connection, path: path.to_owned(), columns: RefCell::default() };
        database.connection.busy_timeout(PATIENCE).map_err(|error| unreadable(path, &error))?;
        if !database.has("runs", "run_uuid")? || !database.has("latest_metrics", "is_nan")? {
            return Err(broken(&database.name(), "this is not a database of MLflow's runs"));
        }
        Ok(database)
    }

    /// Whether a table has a column. Tables differ between versions of MLflow, so check before querying.
    fn has(&self, table: &str, column: &str) -> Read<bool> {
        if let Some(columns) = self.columns.borrow().get(table) {
            return Ok(columns.iter().any(|known| known == column));
        }
        let columns: Vec<String> =
            self.query("SELECT name FROM pragma_table_info(?1)", &[&table], |row| row.get(0))?;
        let has = columns.iter().any(|known| known == column);
        self.columns.borrow_mut().insert(table.to_owned(), columns);
        Ok(has)
    }

    fn query<T>(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Read<Vec<T>> {
        let run = || -> rusqlite::Result<Vec<T>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_map(values, |row| read(row))?.collect()
        };
        run().map_err(|error| unreadable(&self.path, &error))
    }

    fn one<T>(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Read<Option<T>> {
        Ok(self.query(sql, values, read)?.into_iter().next())
    }

    fn pairs(&self, sql: &str, id: &str) -> Read<Vec<(String, String)>> {
        self.query(sql, &[&id], |row| Ok((text(row, 0)?, text(row, 1)?)))
    }

    /// A run, given its row of `runs`.
    fn rows(&self, mut rows: Rows) -> Read<Rows> {
        let id = rows.run_id.clone();
        rows.params = self.pairs("SELECT key, value FROM params WHERE run_uuid = ?1 ORDER BY rowid", &id)?;
        rows.tags = self.pairs("SELECT key, value FROM tags WHERE run_uuid = ?1 ORDER BY rowid", &id)?;
        rows.metrics = self.metrics(&id)?;
        rows.datasets = self.datasets(&id)?;
        if self.has("logged_models", "model_id")? {
            let sql = "SELECT destination_id FROM inputs WHERE source_type = 'RUN_OUTPUT' AND source_id = ?1 \
                       AND destination_type = 'MODEL_OUTPUT' ORDER BY rowid";
            rows.models = self.query(sql, &[&id], |row| text(row, 0))?;
        }
        Ok(rows)
    }

    fn metrics(&self, id: &str) -> Read<Vec<(String, Series)>> {
        let last = "SELECT key, value, step, timestamp, is_nan FROM latest_metrics WHERE run_uuid = ?1 ORDER BY rowid";
        self.query(last, &[&id], |row| {
            let point = Point {
                value: reading(row, 1, 4)?,
                step: row.get(2)?,
                time: row.get::<_, Option<i64>>(3)?.unwrap_or_default(),
                dataset: None,
                run: None,
            };
            Ok((text(row, 0)?, Series::ending_with(point)))
        })
    }

    fn datasets(&self, id: &str) -> Read<Vec<Dataset>> {
        if !self.has("datasets", "digest")? || !self.has("inputs", "destination_id")? {
            return Ok(Vec::new());
        }
        let sql = "SELECT d.name, d.digest, d.dataset_source, d.dataset_profile, t.value FROM inputs i \
                   JOIN datasets d ON d.dataset_uuid = i.source_id \
                   LEFT JOIN input_tags t ON t.input_uuid = i.input_uuid AND t.name = 'mlflow.data.context' \
                   WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = ?1 \
                   ORDER BY i.rowid";
        self.query(sql, &[&id], |row| {
            Ok(Dataset {
                name: text(row, 0)?,
                digest: text(row, 1)?,
                source: text(row, 2)?,
                profile: text(row, 3)?,
                context: text(row, 4)?,
            })
        })
    }

    fn runs(&self, condition: &str, value: &str) -> Read<Vec<Rows>> {
        let mut runs = Vec::new();
        self.each_run(condition, value, &mut |part| {
            runs.extend(part);
            Ok(())
        })?;
        Ok(runs)
    }

    fn each_run(&self, condition: &str, value: &str, take: &mut TakeRuns<'_>) -> Read<()> {
        let sql = format!(
            "SELECT run_uuid, name, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id \
             FROM runs WHERE {condition} ORDER BY start_time, run_uuid LIMIT {}",
            MOST_RUNS + 1
        );
        let found = self.query(&sql, &[&value], |row| {
            Ok(Rows {
                run_id: text(row, 0)?,
                name: text(row, 1)?,
                status: text(row, 2)?,
                started: row.get(3)?,
                ended: row.get(4)?,
                lifecycle: text(row, 5)?,
                artifact_uri: text(row, 6)?,
                experiment: text(row, 7)?,
                ..Rows::default()
            })
        })?;
        if found.len() > MOST_RUNS {
            return Err(too_many(&self.name(), "runs"));
        }
        for part in found.chunks(PART) {
            take(part.iter().map(|rows| self.rows(rows.clone())).collect::<Read<Vec<_>>>()?)?;
        }
        Ok(())
    }

    /// The value to compare with the second query parameter. Names are unique within a workspace; in tables
    /// without one, the parameter is compared with itself.
    fn within_workspace(&self, table: &str) -> Read<&'static str> {
        Ok(if self.has(table, "workspace")? { "workspace" } else { "?2" })
    }

    fn find_versions(&self, condition: &str, value: &str) -> Read<Vec<Version>> {
        if !self.has("model_versions", "version")? {
            return Ok(Vec::new());
        }
        let location =
            if self.has("model_versions", "storage_location")? { "storage_location" } else { "''" };
        let within = self.within_workspace("model_versions")?;
        let sql = format!(
            "SELECT name, version, run_id, source, status, current_stage, {location} FROM model_versions \
             WHERE {condition} AND {within} = ?2"
        );
        self.query(&sql, &[&value, &workspace()], |row| {
            Ok(Version {
                name: text(row, 0)?,
                number: u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default(),
                run_id: text(row, 2)?,
                source: text(row, 3)?,
                status: text(row, 4)?,
                stage: text(row, 5)?,
                location: text(row, 6)?,
            })
        })
    }
}

impl Store for Database {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn run(&self, id: &str) -> Read<Option<Rows>> {
        Ok(self.runs("run_uuid = ?1", id)?.into_iter().next())
    }

    fn with_history(&self, rows: &mut Rows) -> Read<()> {
        // Infinity is stored as the largest number.
        let history = "SELECT key, COUNT(*), \
                       MIN(CASE WHEN is_nan = 0 AND abs(value) < 1.7976931348623157e308 THEN value END), \
                       MAX(CASE WHEN is_nan = 0 AND abs(value) < 1.7976931348623157e308 THEN value END) \
                       FROM metrics WHERE run_uuid = ?1 GROUP BY key";
        let histories = self.query(history, &[&rows.run_id], |row| {
            let best = row.get::<_, Option<f64>>(2)?.zip(row.get::<_, Option<f64>>(3)?);
            Ok((text(row, 0)?, (row.get::<_, i64>(1)?, best)))
        })?;
        let histories: HashMap<String, (i64, Option<(f64, f64)>)> = histories.into_iter().collect();
        for (name, series) in &mut rows.metrics {
            if let Some((points, best)) = histories.get(name) {
                series.points = u64::try_from(*points).ok();
                series.best = *best;
            }
        }
        Ok(())
    }

    fn children(&self, parent: &Rows) -> Read<Vec<Rows>> {
        let condition = "lifecycle_stage = 'active' AND run_uuid IN \
                         (SELECT run_uuid FROM tags WHERE key = 'mlflow.parentRunId' AND value = ?1)";
        self.runs(condition, &parent.run_id)
    }

    fn experiment(&self, name: &str, take: &mut TakeRuns<'_>) -> Read<bool> {
        let within = self.within_workspace("experiments")?;
        let sql = format!(
            "SELECT experiment_id, lifecycle_stage FROM experiments WHERE name = ?1 AND {within} = ?2"
        );
        let found = self.one(&sql, &[&name, &workspace()], |row| Ok((text(row, 0)?, text(row, 1)?)))?;
        let Some((id, stage)) = found else { return Ok(false) };
        if stage == "deleted" {
            return Err(deleted(&self.name(), name));
        }
        self.each_run("lifecycle_stage = 'active' AND experiment_id = ?1", &id, take).map(|()| true)
    }

    fn version(&self, name: &str, number: u64) -> Read<Option<Version>> {
        Ok(self.versions(name)?.into_iter().find(|version| version.number == number))
    }

    fn versions(&self, name: &str) -> Read<Vec<Version>> {
        self.find_versions("name = ?1", name)
    }

    fn alias(&self, name: &str, alias: &str) -> Read<Option<u64>> {
        if !self.has("registered_model_aliases", "alias")? {
            return Ok(None);
        }
        let within = self.within_workspace("registered_model_aliases")?;
        let sql = format!(
            "SELECT version FROM registered_model_aliases WHERE name = ?1 AND alias = ?3 AND {within} = ?2"
        );
        let number = self.one(&sql, &[&name, &workspace(), &alias], |row| row.get::<_, i64>(0))?;
        Ok(number.and_then(|number| u64::try_from(number).ok()))
    }

    fn registered(&self, runs: &[&str]) -> Read<Vec<Version>> {
        if let [one] = runs {
            return self.find_versions("run_id = ?1", one);
        }
        let runs: HashSet<&str> = runs.iter().copied().collect();
        let mut versions = self.find_versions("run_id != ?1", "")?;
        versions.retain(|version| runs.contains(version.run_id.as_str()));
        Ok(versions)
    }

    fn tagged(&self, key: &str, value: &str) -> Read<Vec<Rows>> {
        let sql = "SELECT run_uuid FROM tags WHERE key = ?1 AND value = ?2";
        let ids = self.query(sql, &[&key, &value], |row| text(row, 0))?;
        let mut runs = Vec::new();
        for id in ids {
            runs.extend(self.runs("lifecycle_stage = 'active' AND run_uuid = ?1", &id)?);
        }
        Ok(runs)
    }

    fn set_tag(&self, run: &Rows, key: &str, value: &str) -> Read<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let write = || {
            let connection = Connection::open_with_flags(&self.path, flags)?;
            connection.busy_timeout(PATIENCE)?;
            let values = [key, value, run.run_id.as_str()];
            connection
                .execute("INSERT OR REPLACE INTO tags (key, value, run_uuid) VALUES (?1, ?2, ?3)", values)
        };
        write().map(|_| ()).map_err(|error| not_tagged(&self.name(), key, &error.to_string()))
    }

    fn logged_model(&self, id: &str) -> Read<Option<LoggedModel>> {
        if !self.has("logged_models", "model_id")? {
            return Ok(None);
        }
        let sql = "SELECT model_id, source_run_id, status, creation_timestamp_ms, artifact_location \
                   FROM logged_models WHERE model_id = ?1 AND lifecycle_stage = 'active'";
        let found = self.one(sql, &[&id], |row| {
            Ok(LoggedModel {
                id: text(row, 0)?,
                run_id: text(row, 1)?,
                ready: row.get::<_, i64>(2)? == 2,
                created: row.get(3)?,
                artifact_uri: text(row, 4)?,
                ..LoggedModel::default()
            })
        })?;
        let Some(mut model) = found else { return Ok(None) };
        model.params =
            self.pairs("SELECT param_key, param_value FROM logged_model_params WHERE model_id = ?1", id)?;
        model.tags =
            self.pairs("SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = ?1", id)?;
        let sql = "SELECT metric_name, metric_value, metric_step, metric_timestamp_ms, dataset_name, run_id \
                   FROM logged_model_metrics WHERE model_id = ?1 ORDER BY rowid";
        model.metrics = self.query(sql, &[&id], |row| {
            let value = row.get::<_, Option<f64>>(1)?.map_or(Reading::NaN, Reading::of);
            let dataset = Some(text(row, 4)?).filter(|name| !name.is_empty());
            let run = Some(text(row, 5)?).filter(|run| !run.is_empty());
            Ok((text(row, 0)?, Point { value, step: row.get(2)?, time: row.get(3)?, dataset, run }))
        })?;
        Ok(Some(model))
    }
}

/// Opens a database for reading. With a write-ahead log, even reading needs a file next to it; if that can't be created
/// and the log is empty, the database is opened as immutable.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let refused = match connection.query_row("SELECT COUNT(*) FROM sqlite_master", [], |_| Ok(())) {
        Err(error) => matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure)
        ),
        Ok(()) => false,
    };
    if !refused || !has_log(path) || log_holds_something(path) {
        return Ok(connection);
    }
    let address = utf8_percent_encode(&path.to_string_lossy(), NON_ALPHANUMERIC).to_string();
    let address = format!("file:{address}?immutable=1");
    Connection::open_with_flags(address, flags | OpenFlags::SQLITE_OPEN_URI)
}

/// Whether a database uses a write-ahead log, according to its 19th byte.
fn has_log(path: &Path) -> bool {
    let mut head = [0; 19];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head[18] == 2
}

/// Whether a database's log has data that the database lacks.
fn log_holds_something(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    Path::new(&name).metadata().is_ok_and(|data| data.len() > 0)
}

/// The value as text, whatever its type: `SQLite` types values, not columns. NULL is empty text.
fn text(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]).into_owned()
        }
    })
}

/// A value with its NaN flag: NaN is stored as 0.
fn reading(row: &Row<'_>, value: usize, flag: usize) -> rusqlite::Result<Reading> {
    if row.get::<_, Option<bool>>(flag)?.unwrap_or_default() {
        return Ok(Reading::NaN);
    }
    Ok(row.get::<_, Option<f64>>(value)?.map_or(Reading::NaN, Reading::of))
}

fn unreadable(path: &Path, error: &rusqlite::Error) -> Box<Diagnostic> {
    let message = format!("the database `{}` can't be read: {error}", path.display());
    let help = if log_holds_something(path) {
        "it has a write-ahead log, and reading that needs write access: make the folder writable, or copy \
         the database with its `-wal` to a writable folder"
    } else {
        "check that it is complete, and that MLflow itself opens it; `mlflow db upgrade` updates an old one"
    };
    Diagnostic::new(STORE, message).help(help).boxed()
}
