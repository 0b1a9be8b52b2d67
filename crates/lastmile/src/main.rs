//! The binary behind every lastmile action: arguments in, one verb run, an exit code by meaning.
//!
//! It holds no policy. It turns flags, `LASTMILE_*` variables, and `lastmile.yml` into a request for `ops`, and shows
//! what came of it.

use std::process::ExitCode;

mod cli;
mod context;
mod environment;
mod failure;
mod output;
mod progress;
mod runner;
mod verbs;

fn main() -> ExitCode {
    runner::begin();
    let code = run();
    runner::end();
    code
}

fn run() -> ExitCode {
    let arguments =
        environment::completed(std::env::args_os().collect(), |name| std::env::var_os(name));
    let cli = match cli::parse(arguments) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failure::startup(&error),
    };
    let format = cli.global.format;
    let done = runtime.block_on(verbs::run(cli));
    // Uploads that are still running belong to a verb that failed; nothing names what they write.
    runtime.shutdown_background();
    match done {
        Ok(code) => code,
        Err(failure) => failure.show(format),
    }
}
