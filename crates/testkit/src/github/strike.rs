//! What a fault does to a request before, instead of, and after carrying it out.

use super::answer::Answer;
use super::fault::Does;

/// What is done with a request before it is carried out.
pub(crate) enum Before {
    Apply,
    Answer(Answer),
    Close,
    Wait,
}

/// What a fault does instead of carrying a request out.
pub(crate) fn before(fault: Option<&Does>) -> Before {
    match fault {
        Some(Does::DropBefore) => Before::Close,
        Some(Does::KillBefore(hook)) => {
            hook();
            Before::Close
        }
        Some(Does::Hang) => Before::Wait,
        Some(Does::Status(status)) => Before::Answer(Answer::message(*status, "Server Error")),
        Some(Does::HtmlStatus(status)) => {
            let page = format!(
                "<html><body><h1>{status}</h1>This page is taking too long to load.</body></html>"
            );
            Before::Answer(Answer::bytes(*status, "text/html; charset=utf-8", page))
        }
        Some(Does::RateLimited {
            status,
            retry_after,
            remaining0_reset,
        }) => Before::Answer(limited(*status, *retry_after, *remaining0_reset)),
        _ => Before::Apply,
    }
}

fn limited(status: u16, retry_after: Option<u64>, reset: Option<u64>) -> Answer {
    let message = if reset.is_some() {
        "API rate limit exceeded for installation."
    } else {
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    };
    let mut answer = Answer::message(status, message);
    if let Some(seconds) = retry_after {
        answer = answer.with("retry-after", seconds.to_string());
    }
    if let Some(reset) = reset {
        answer = answer
            .with("x-ratelimit-remaining", "0")
            .with("x-ratelimit-reset", reset.to_string());
    }
    answer
}
