//! `lastmile config check` and `schema`.

use clap::Subcommand;
use ops::config::Config as Parsed;

use crate::cli::Global;
use crate::context;
use crate::failure::Failure;
use crate::output;

/// Check or describe the configuration
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check `lastmile.yml`: every error with file, line, and column
    Check,
    /// Print the JSON Schema of `lastmile.yml`
    Schema,
}

pub(crate) fn run(global: &Global, args: &Config) -> Result<(), Failure> {
    match args {
        Config::Check => {
            let config = context::parse(global)?;
            let apps: Vec<_> = config.apps().map(|app| app.app.to_string()).collect();
            let text = format!(
                "{}: good; apps: {}\n",
                global.config.display(),
                apps.join(", ")
            );
            output::result(
                global.format,
                "config check",
                &serde_json::json!({ "apps": apps }),
                &text,
            );
        }
        Config::Schema => output::json(&Parsed::schema()),
    }
    Ok(())
}
