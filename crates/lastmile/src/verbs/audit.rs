//! `lastmile audit show` and `verify`.

use clap::Subcommand;

use crate::cli::{Global, PlaceArgs};
use crate::context;
use crate::failure::Failure;
use crate::output;

/// Show or verify who did what to a channel
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// List every revision: when, who, what, why
    Show(PlaceArgs),
    /// Walk the hash chain from the first revision to the newest
    Verify(PlaceArgs),
}

pub(crate) async fn run(global: &Global, args: &Audit) -> Result<(), Failure> {
    let (Audit::Show(place_args) | Audit::Verify(place_args)) = args;
    let place = context::place(global, place_args).await?;
    let audit = ops::audit::audit(&place).await?;
    match args {
        Audit::Show(_) => {
            let rows: Vec<_> = audit.entries.iter().map(row).collect();
            output::result(global.format, "audit show", &audit, &output::table(&rows));
        }
        Audit::Verify(_) => {
            let text = match audit.entries.last() {
                Some(newest) => format!(
                    "{} revisions, unbroken; the newest is {} with sha256 {}\n\
                     keep that line elsewhere: a chain alone cannot show that its end was cut off\n",
                    audit.entries.len(),
                    newest.revision,
                    newest.digest
                ),
                None => "no revision yet\n".to_owned(),
            };
            output::result(global.format, "audit verify", &audit, &text);
        }
    }
    Ok(())
}

fn row(entry: &ops::audit::Entry) -> Vec<String> {
    use release::name::printable;
    let arguments = entry
        .arguments
        .iter()
        .filter(|(_, value)| !value.is_empty());
    let arguments = arguments
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join(" ");
    vec![
        entry.revision.to_string(),
        entry.written.to_string(),
        format!(
            "{} ({})",
            printable(&entry.actor),
            printable(&entry.verified)
        ),
        printable(format!("{} {arguments}", entry.verb).trim()),
        entry.reason.as_deref().map(printable).unwrap_or_default(),
    ]
}
