//! Progress: bars on a terminal, plain lines elsewhere, nothing for machines.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ops::{Event, Reporter};

use crate::cli::Format;
use crate::output;

/// The reporter for this process.
pub(crate) fn reporter(format: Format) -> Reporter {
    match (format, std::io::stderr().is_terminal()) {
        (Format::Json, _) => Reporter::silent(),
        (Format::Text, true) => bars(),
        (Format::Text, false) => lines(),
    }
}

fn bars() -> Reporter {
    let bar = Mutex::new(None::<ProgressBar>);
    Reporter::new(move |event| {
        let Ok(mut bar) = bar.lock() else { return };
        match event {
            Event::Stage { name, bytes } => {
                if let Some(old) = bar.take() {
                    old.finish_and_clear();
                }
                let new = ProgressBar::with_draw_target(
                    Some(bytes),
                    ProgressDrawTarget::stderr_with_hz(10),
                );
                let template = "{prefix:>8} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {msg}";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    new.set_style(style.progress_chars("=> "));
                }
                new.set_prefix(name);
                new.enable_steady_tick(Duration::from_millis(200));
                *bar = Some(new);
            }
            Event::Advanced(bytes) => {
                if let Some(bar) = bar.as_ref() {
                    bar.inc(bytes);
                    // The last byte ends the bar, so that results never mix with it.
                    if bar.length().is_some_and(|length| bar.position() >= length) {
                        bar.finish_and_clear();
                    }
                }
            }
            Event::Finished(name) => {
                if let Some(bar) = bar.as_ref() {
                    bar.set_message(name);
                }
            }
            Event::Waiting(why) => match bar.as_ref() {
                Some(bar) => bar.suspend(|| output::note(&why)),
                None => output::note(&why),
            },
        }
    })
}

fn lines() -> Reporter {
    Reporter::new(|event| match event {
        Event::Stage { name, bytes } => output::note(&format!("{name}: {}", output::size(bytes))),
        Event::Finished(name) => output::note(&format!("  {name}")),
        Event::Waiting(why) => output::note(&why),
        Event::Advanced(_) => {}
    })
}
