//! Lists in pages, with the `Link` header that leads through them.

use super::answer::Answer;
use super::contract::Asked;

/// 30 where nothing is said, and never more than 100.
pub(crate) fn per_page(asked: &Asked) -> usize {
    number(asked, "per_page").unwrap_or(30).clamp(1, 100)
}

fn number(asked: &Asked, name: &str) -> Option<usize> {
    asked.query.get(name)?.parse().ok()
}

/// The part of a list that was asked for.
pub(crate) fn slice<'a, T>(items: &'a [T], asked: &Asked) -> &'a [T] {
    let per_page = per_page(asked);
    let page = number(asked, "page").unwrap_or(1).max(1);
    let from = (page - 1).saturating_mul(per_page).min(items.len());
    &items[from..(from + per_page).min(items.len())]
}

/// Adds the way to the other pages of a list of this length. `url` is without its query.
pub(crate) fn linked(answer: Answer, url: &str, asked: &Asked, length: usize) -> Answer {
    let per_page = per_page(asked);
    let page = number(asked, "page").unwrap_or(1).max(1);
    let last = length.div_ceil(per_page).max(1);
    let to = |page: usize, rel: &str| {
        let mut pairs: Vec<_> = asked
            .query
            .iter()
            .filter(|(name, _)| *name != "page")
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        pairs.push(format!("page={page}"));
        format!("<{url}?{}>; rel=\"{rel}\"", pairs.join("&"))
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(to((page - 1).min(last), "prev"));
    }
    if page < last {
        links.push(to(page + 1, "next"));
        links.push(to(last, "last"));
    }
    if page > 1 {
        links.push(to(1, "first"));
    }
    if links.is_empty() {
        answer
    } else {
        answer.with("link", links.join(", "))
    }
}

/// A value for a URL's path or query.
pub(crate) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2D", "-")
        .replace("%2E", ".")
        .replace("%5F", "_")
}
