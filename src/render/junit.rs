//! The report as JUnit XML, as GitLab and Jenkins read it: a suite for each candidate and one for the change, a test for
//! each rule.
//!
//! JUnit has no warnings. Anything that is shown without blocking becomes a skipped test, with the reason as
//! its message: a failed test would turn a pipeline red although the gate passes.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::suite::{Case, Count, Ended, Suite, suites};
use crate::verdict::Report;

/// Writes a report as JUnit XML.
pub fn junit(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    let total = suites(report).map(|suite| suite.count()).fold(Count::default(), Count::plus);
    let mut writer = Writer::new_with_indent(to, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element("testsuites")
        .with_attributes([("name", "gate")])
        // Jenkins' schema does not allow a count of skipped tests here.
        .with_attributes(attributes(&total)[..3].iter().map(|(name, value)| (*name, value.as_str())))
        .write_inner_content(|writer| suites(report).try_for_each(|suite| write_suite(&suite, writer)))?;
    writer.into_inner().write_all(b"\n")
}

fn attributes(count: &Count) -> [(&'static str, String); 4] {
    [
        ("tests", count.tests.to_string()),
        ("failures", count.failures.to_string()),
        ("errors", count.errors.to_string()),
        ("skipped", count.skipped.to_string()),
    ]
}

fn write_suite(suite: &Suite, writer: &mut Writer<&mut dyn Write>) -> io::Result<()> {
    let count = attributes(&suite.count());
    let element = writer
        .create_element("testsuite")
        .with_attribute(("name", suite.name.as_str()))
        .with_attributes(count.iter().map(|(name, value)| (*name, value.as_str())));
    element.write_inner_content(|writer| {
        if !suite.properties.is_empty() {
            writer.create_element("properties").write_inner_content(|writer| {
                suite.properties.iter().try_for_each(|(name, value)| {
                    let property = writer.create_element("property");
                    property
                        .with_attributes([("name", *name), ("value", value.as_str())])
                        .write_empty()
                        .map(|_| ())
                })
            })?;
        }
        suite.cases.iter().try_for_each(|case| write_case(case, suite, writer))
    })?;
    Ok(())
}

fn write_case(case: &Case, suite: &Suite, writer: &mut Writer<&mut dyn Write>) -> io::Result<()> {
    let element = writer
        .create_element("testcase")
        .with_attributes([("classname", suite.name.as_str()), ("name", case.name.as_str())]);
    let (name, message, kind, text) = match &case.ended {
        Ended::Passed => {
            element.write_empty()?;
            return Ok(());
        }
        Ended::Warned { message } | Ended::Skipped { message } => ("skipped", message, None, None),
        Ended::Failed { kind, message, text } => ("failure", message, Some(kind), Some(text)),
        Ended::Error { kind, message, text } => ("error", message, Some(kind), Some(text)),
    };
    element.write_inner_content(|writer| {
        let mut how = writer.create_element(name).with_attribute(("message", message.as_str()));
        if let Some(kind) = kind {
            how = how.with_attribute(("type", kind.as_str()));
        }
        match text {
            Some(text) => how.write_text_content(BytesText::new(text))?,
            None => how.write_empty()?,
        };
        Ok(())
    })?;
    Ok(())
}
