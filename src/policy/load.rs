//! Turns the text of a policy into a [`Policy`], or into everything that is wrong with it.

use std::cell::RefCell;

use jiff::Timestamp;

use super::layer::Layer;
use super::rules::Declared;
use super::{NO_RULES, Policy, cases, effective, extends, merge, rules, settings, waiver};
use crate::document::{Diagnostic, Document, Reader, Span};
use crate::rule::{Loading, NEWEST_RECORD, PolicyFiles, Rule};
use crate::verdict::PackUse;

/// A policy, and what identifies it.
#[derive(Debug)]
pub struct Loaded {
    /// The policy.
    pub policy: Policy,
    /// `sha256:` of its file.
    pub digest: String,
    /// The text of every expression in it.
    pub expressions: Vec<String>,
    /// The policy after `extends`, each line with the place that it comes from.
    pub effective: String,
}

/// Reads a policy with everything that it extends. `now` decides which waivers have ended.
pub fn load(document: Document, files: &dyn PolicyFiles, now: Timestamp) -> Result<Loaded, Vec<Diagnostic>> {
    let mut reader = Reader::default();
    let digest = format!("sha256:{}", document.text.sha256());
    let name = document.name.to_string();
    let files = Noted { files, read: RefCell::default() };
    let mut loading = Loading::new(&mut reader, &files);
    let policy = Layer::read(&mut loading, &name, document, None).map(|mut layer| {
        let mut chain = vec![name];
        extends::follow(&mut loading, &mut layer, &mut chain);
        build(&mut loading, &layer, now)
    });
    let expressions = loading.expressions;
    let read = files.read.into_inner();
    let (_, problems) = reader.finish();
    match policy {
        Some((mut policy, effective)) if problems.is_empty() => {
            let is_pack = |file: &PackUse| policy.packs.iter().any(|pack| pack.name == file.name);
            policy.files = read.into_iter().filter(|file| !is_pack(file)).collect();
            Ok(Loaded { policy, digest, expressions, effective })
        }
        _ => Err(problems),
    }
}

/// Records which files a policy reads: they decide as well as the policy's own text.
struct Noted<'f> {
    files: &'f dyn PolicyFiles,
    read: RefCell<Vec<PackUse>>,
}

impl PolicyFiles for Noted<'_> {
    fn read(&self, beside: &Document, path: &str) -> Result<Document, Box<Diagnostic>> {
        let document = self.files.read(beside, path)?;
        let file = PackUse {
            name: document.name.to_string(),
            digest: format!("sha256:{}", document.text.sha256()),
            parameters: Vec::new(),
        };
        let mut read = self.read.borrow_mut();
        if !read.contains(&file) {
            read.push(file);
        }
        Ok(document)
    }
}

fn build(loading: &mut Loading<'_>, layer: &Layer, now: Timestamp) -> (Policy, String) {
    let raw = merge::rules(loading, layer);
    settings::contradictions(loading, layer);
    let stages = settings::stages(loading, layer);
    let ledger = settings::ledger(loading, layer);
    let seeds = settings::seeds(loading, layer);
    let models = settings::models(loading, layer);
    let stage_names: Vec<String> = stages.keys().cloned().collect();
    let declared = Declared { stages: &stage_names, models: models.as_deref() };
    let rules: Vec<Rule> =
        raw.iter().filter_map(|(id, raw)| rules::read(loading, id, raw, &declared)).collect();
    if raw.is_empty() && loading.reader.problems().is_empty() {
        let span = layer
            .map
            .entry("rules")
            .map_or(Span { end: layer.root.span.start + 1, ..layer.root.span }, |entry| entry.key);
        loading
            .reader
            .problem(NO_RULES, span, "the policy has no rules, so nothing would be judged", "no rules")
            .help = Some("write a rule, or extend a pack: `extends: [{ pack: gate:checklist }]`".into());
    }
    let ids: Vec<String> = raw.keys().cloned().chain([NEWEST_RECORD.to_owned()]).collect();
    let (waivers, expired) = waiver::read(loading, layer, &rules, &ids, &stage_names, now);
    let runs = settings::runs(loading, layer);
    let baseline = settings::find(layer, "baseline")
        .and_then(|node| settings::reference(loading.reader, node, "`baseline`"));
    let on_missing_baseline = settings::on_missing(loading, layer);
    let comparable = settings::comparable(loading, layer);
    let mut fields = settings::fields(loading, layer);
    fields.finished = settings::finished(loading, layer);
    fields.each = runs.as_ref().and_then(|runs| runs.each.clone());
    let cases = cases::columns(loading, layer);
    let mut packs = Vec::new();
    layer.packs(&mut packs);
    let effective = effective::text(loading.reader, layer, &raw);
    let policy = Policy {
        runs,
        baseline,
        on_missing_baseline,
        stages,
        ledger,
        seeds,
        reads_history: layer.reads_history(),
        models,
        comparable,
        fields,
        cases,
        rules,
        waivers,
        expired,
        packs,
        files: Vec::new(),
    };
    (policy, effective)
}
