//! How and where a report is printed: in one format to standard output, and in any number to files.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::Terminal;
use super::format::Format;
use super::terminal::Guard;
use crate::atomic::{self, Unfinished};
use crate::check::{CandidateSink, Kept, Prepared, Request, check_into};
use crate::document::did_you_mean;
use crate::promotion::history_of;
use crate::render::{JsonStream, Style};
use crate::verdict::{CandidateReport, Exit, Report};

/// How a report is printed, and where to.
#[derive(Debug, Args)]
pub(super) struct Printing {
    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Also write the report to a file in this format; may be given several times. Without FORMAT=, the file takes the
    /// place of standard output
    #[arg(long, short, value_name = "FORMAT=FILE", value_parser = OsStringValueParser::new().try_map(output))]
    output: Vec<Output>,
}

/// A file to write.
#[derive(Debug, Clone)]
struct Output {
    /// `None` means the format of `--format`.
    format: Option<Format>,
    path: PathBuf,
}

fn output(text: OsString) -> Result<Output, String> {
    let Some((name, path)) = text.to_str().and_then(|text| text.split_once('=')) else {
        return Ok(Output { format: None, path: text.into() });
    };
    match Format::from_str(name, false) {
        Ok(_) if path.is_empty() => Err(format!("`{name}=` names no file; write `{name}=FILE`")),
        Ok(format) => Ok(Output { format: Some(format), path: path.into() }),
        // A path, not a format.
        Err(_) if name.contains(['/', '\\', '.']) => Ok(Output { format: None, path: text.into() }),
        Err(_) => {
            let names: Vec<String> = Format::value_variants().iter().map(ToString::to_string).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let help = did_you_mean(name, &names, "the formats are");
            Err(format!(
                "unknown format `{name}`; {help}; to write to a file with that name, use `./{}`",
                text.display()
            ))
        }
    }
}

/// A destination of a report; standard output if there is no path.
struct Target {
    format: Format,
    path: Option<PathBuf>,
}

impl Target {
    fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "standard output".into(), |path| path.display().to_string())
    }
}

/// Estimated size in bytes of a candidate as JSON.
const ROOM: usize = 8 << 10;

/// Receives a check's candidates: JSON writes each one at once and drops it, other formats are written at the end.
struct Sink<'w> {
    streams: Vec<JsonStream<'w>>,
    kept: Option<Kept>,
}

impl CandidateSink for Sink<'_> {
    fn preparation(&self) -> fn(CandidateReport) -> Prepared {
        let as_it_is = |report| Prepared::Report(Box::new(report));
        if self.kept.is_some() {
            return as_it_is;
        }
        |report| {
            let mut line = Vec::with_capacity(ROOM);
            match serde_json::to_writer(&mut line, &report) {
                Ok(()) => Prepared::Written(line),
                // Writing it will report the error.
                Err(_) => Prepared::Report(Box::new(report)),
            }
        }
    }

    fn candidate(&mut self, prepared: Prepared) {
        for stream in &mut self.streams {
            match &prepared {
                Prepared::Report(report) => stream.candidate(report),
                Prepared::Written(line) => stream.line(line),
            }
        }
        if let Some(kept) = &mut self.kept {
            kept.candidate(prepared);
        }
    }
}

impl Printing {
    /// Checks, and writes the report to each target; exits with code 2 if a write fails.
    pub(super) fn check(
        &self,
        mut request: Request,
        folder: &Path,
        now: Timestamp,
        terminal: &Terminal,
    ) -> Exit {
        let targets = match self.targets(folder) {
            Ok(targets) => targets,
            Err(why) => {
                terminal.tell(&why);
                return Exit::NoVerdict;
            }
        };
        request.brief = targets.iter().all(|target| target.format.is_brief());
        request.near = targets.iter().any(|target| target.format == Format::Html);
        let order = Order { request: &request, targets: &targets, folder, now, terminal };
        let Some(out) = targets.iter().find(|target| target.path.is_none() && target.format == Format::Json)
        else {
            return order.run(None).0;
        };
        let mut exit = Exit::NoVerdict;
        let printed = Terminal::print(terminal.guarded_json(), |to| {
            let (code, written) = order.run(Some(to));
            exit = code;
            written
        });
        told(printed, out, terminal).unwrap_or(exit)
    }

    /// Prints a report; returns its exit code, unless writing failed.
    pub(super) fn print(&self, report: &Report, folder: &Path, terminal: &Terminal) -> Exit {
        match self.targets(folder) {
            Ok(targets) => write_each(targets.iter(), report, folder, terminal).unwrap_or(report.exit_code),
            Err(why) => {
                terminal.tell(&why);
                Exit::NoVerdict
            }
        }
    }

    /// Files first, so that they are complete when standard output is read.
    fn targets(&self, folder: &Path) -> Result<Vec<Target>, String> {
        let mut targets: Vec<Target> = Vec::new();
        for output in &self.output {
            let path = folder.join(&output.path);
            if targets.iter().any(|known| known.path.as_ref() == Some(&path)) && !is_special(&path) {
                return Err(format!(
                    "--output names `{}` twice; give each report its own file",
                    output.path.display()
                ));
            }
            targets.push(Target { format: output.format.unwrap_or(self.format), path: Some(path) });
        }
        if self.output.iter().all(|output| output.format.is_some()) {
            targets.push(Target { format: self.format, path: None });
        }
        Ok(targets)
    }
}

/// A pipe or a device can take several reports.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// A check with several report targets.
struct Order<'o> {
    request: &'o Request,
    targets: &'o [Target],
    folder: &'o Path,
    now: Timestamp,
    terminal: &'o Terminal,
}

impl Order<'_> {
    /// Checks, and writes all targets; returns the result for JSON on standard output separately. JSON is written while
    /// candidates are judged, so that memory use does not grow with them.
    fn run(&self, json_out: Option<&mut dyn Write>) -> (Exit, io::Result<()>) {
        let mut failed = None;
        let mut files: Vec<(&Target, Unfinished)> = Vec::new();
        for target in self.targets.iter().filter(|target| target.format == Format::Json) {
            let Some(path) = &target.path else { continue };
            match Unfinished::begin(path) {
                Ok(file) => files.push((target, file)),
                Err(error) => failed = told(Err(error), target, self.terminal),
            }
        }
        let others = || self.targets.iter().filter(|target| target.format != Format::Json);
        let has_out = json_out.is_some();
        let kept = others().next().map(|_| Kept::new(true, self.request.near));
        let mut sink = Sink { streams: Vec::new(), kept };
        if let Some(out) = json_out {
            sink.streams.push(JsonStream::new(out));
        }
        for (_, file) in &mut files {
            sink.streams.push(JsonStream::new(file));
        }
        let mut report = check_into(self.request, self.folder, self.now, &mut sink);
        if let Some(kept) = sink.kept.as_ref().filter(|_| self.request.near) {
            report.history = history_of(&kept.candidates, self.request, self.folder);
        }
        let mut finished: Vec<io::Result<()>> =
            sink.streams.into_iter().map(|stream| stream.finish(&report)).collect();
        report.candidates = sink.kept.map(|kept| kept.candidates).unwrap_or_default();
        let out = if has_out { finished.remove(0) } else { Ok(()) };
        for ((target, file), written) in files.into_iter().zip(finished) {
            failed = told(written.and_then(|()| file.finish()), target, self.terminal).or(failed);
        }
        failed = write_each(others(), &report, self.folder, self.terminal).or(failed);
        (failed.unwrap_or(report.exit_code), out)
    }
}

/// Writes a report to each target, even if another failed.
fn write_each<'t>(
    targets: impl Iterator<Item = &'t Target>,
    report: &Report,
    folder: &Path,
    terminal: &Terminal,
) -> Option<Exit> {
    let mut failed = None;
    for target in targets {
        let write = |style: Style, to: &mut dyn Write| target.format.write(report, folder, style, to);
        let written = match &target.path {
            None => Terminal::print(guard(target.format, terminal), |to| write(terminal.out(), to)),
            Some(path) => atomic::write(path, |to| write(Style { color: false, ..terminal.out() }, to)),
        };
        failed = told(written, target, terminal).or(failed);
    }
    failed
}

fn guard(format: Format, terminal: &Terminal) -> Guard {
    match format {
        // Its lines are commands, or already escaped.
        Format::Github => Guard::None,
        Format::Json | Format::Sarif | Format::Gitlab | Format::TestResult => terminal.guarded_json(),
        _ => terminal.guarded(),
    }
}

/// Reports a failed write, which means no verdict.
fn told(written: io::Result<()>, target: &Target, terminal: &Terminal) -> Option<Exit> {
    let error = written.err()?;
    terminal.tell(&format!("the report can't be written to {}: {error}", target.name()));
    Some(Exit::NoVerdict)
}
