//! Showing what went wrong, once, with the exit code of its kind.

use std::process::ExitCode;

use ops::{Error, Exit};
use serde_json::json;

use crate::cli::Format;
use crate::output;
use crate::runner;

/// Why the process ends without success.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Box<Error>,
    /// What was shown already, so that only the last line is to be added.
    report: Option<serde_json::Value>,
}

impl Failure {
    /// A failure whose details stand in a report.
    pub(crate) fn with_report(error: Error, report: serde_json::Value) -> Self {
        Self {
            error: Box::new(error),
            report: Some(report),
        }
    }

    /// Prints it and gives the code.
    pub(crate) fn show(self, format: Format) -> ExitCode {
        let exit = self.error.exit();
        let message = self.error.to_string();
        let report = self.report.clone();
        if format == Format::Json {
            let mut document =
                json!({ "schema": 1, "exit": exit as u8, "outcome": word(exit), "error": message });
            if let (Some(report), Some(fields)) = (self.report, document.as_object_mut()) {
                fields.insert("report".to_owned(), report);
            }
            output::json(&document);
        }
        output::error(word(exit), &message);
        runner::failure(exit as u8, word(exit), &message, report.as_ref());
        ExitCode::from(exit as u8)
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let report = match &error {
            Error::Lagging { revision, lagging } => {
                Some(json!({ "revision": revision, "lagging": lagging }))
            }
            _ => None,
        };
        Self {
            error: Box::new(error),
            report,
        }
    }
}

/// What a code is called before its message.
fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "done",
        Exit::CheckFailed => "check failed",
        Exit::Usage => "error",
        Exit::Refused => "refused",
        Exit::Conflict => "conflict",
        Exit::Failed => "failed",
        Exit::Lagging => "lagging",
    }
}

/// The process cannot even begin.
pub(crate) fn startup(error: &std::io::Error) -> ExitCode {
    output::error("failed", &format!("cannot start: {error}"));
    ExitCode::from(Exit::Failed as u8)
}
