//! Which of two versions is later (Debian Policy 5.6.12).

use std::cmp::Ordering;

/// Compares versions: epoch, then what the authors say, then the revision.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (parts(left), parts(right));
    let [left_epoch, left_upstream, left_revision] = left;
    let [right_epoch, right_upstream, right_revision] = right;
    numbers(left_epoch, right_epoch)
        .then_with(|| texts(left_upstream, right_upstream))
        .then_with(|| texts(left_revision, right_revision))
}

fn parts(version: &str) -> [&str; 3] {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    [epoch, upstream, revision]
}

/// Compares, by turns, what is no digit and what are digits.
fn texts(mut left: &str, mut right: &str) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (left_text, right_text);
        (left_text, left) = split(left, |it| !it.is_ascii_digit());
        (right_text, right) = split(right, |it| !it.is_ascii_digit());
        let compared = letters(left_text, right_text);
        if compared != Ordering::Equal {
            return compared;
        }
        let (left_number, right_number);
        (left_number, left) = split(left, |it| it.is_ascii_digit());
        (right_number, right) = split(right, |it| it.is_ascii_digit());
        let compared = numbers(left_number, right_number);
        if compared != Ordering::Equal {
            return compared;
        }
    }
    Ordering::Equal
}

/// What a text begins with, and the rest.
fn split(text: &str, is_part: fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|it| !is_part(it)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Letters come before what is none, and `~` before everything, even the end.
fn letters(left: &str, right: &str) -> Ordering {
    let weigh = |it: Option<char>| match it {
        Some('~') => (0, 0),
        None => (1, 0),
        Some(it) if it.is_ascii_alphabetic() => (2, u32::from(it)),
        Some(it) => (3, u32::from(it)),
    };
    let (mut left, mut right) = (left.chars(), right.chars());
    loop {
        let (a, b) = (left.next(), right.next());
        let compared = weigh(a).cmp(&weigh(b));
        if compared != Ordering::Equal || a.is_none() && b.is_none() {
            return compared;
        }
    }
}

/// Numbers of any length.
fn numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}
