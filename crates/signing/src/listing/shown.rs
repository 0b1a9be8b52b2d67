//! Which version a feed shows, and whether its clients would take another one for newer.

use std::cmp::Ordering;

use release::listing::{Compared, is_version};
use release::name::printable;
use release::{Listed, Listing, Version};

use crate::checks::{Check, FEED_VERSION};
use crate::judging::outcome;
use crate::listing::quoted;
use crate::sparkle::build;

/// Whether it shows the version that is released, and none that is newer: that one would be installed instead.
pub(super) fn check(listing: &Listing, version: &Version) -> Check {
    let of_files = listing.files.iter().filter_map(|it| it.version.as_deref());
    let shown: Vec<&str> = listing
        .version
        .as_deref()
        .into_iter()
        .chain(of_files)
        .collect();
    let is_there = shown.iter().any(|text| is_version(text, version));
    let above = |text: &&&str| order(text, version) == Some(Ordering::Greater);
    let failure = if let Some(above) = shown.iter().find(above) {
        Some(format!(
            "it shows `{}`, which is newer than {version}: clients install that instead",
            printable(above)
        ))
    } else if !is_there {
        Some(format!(
            "it shows {}, expected {version}; build the feed again, or take the stale one away",
            quoted(shown.into_iter())
        ))
    } else {
        higher_build(listing, version).or_else(|| unordered(listing, version))
    };
    outcome(FEED_VERSION, failure, format!("it shows {version}"))
}

/// How a version that is shown stands to the released one. Two numbers are one with a zero, as on macOS, and four are of
/// .NET. None where that cannot be said.
fn order(text: &str, version: &Version) -> Option<Ordering> {
    if is_version(text, version) {
        return Some(Ordering::Equal);
    }
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let (core, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let mut numbers: Vec<&str> = core.split('.').collect();
    numbers.resize(numbers.len().max(3), "0");
    let fourth = match numbers.get(3..)? {
        [] => 0,
        [fourth] => fourth.parse::<u64>().ok()?,
        _ => return None,
    };
    let first = numbers.get(..3)?.join(".");
    let parsed = format!("{first}{rest}").parse::<Version>().ok()?;
    Some(parsed.cmp(version).then(fourth.cmp(&0)))
}

/// Sparkle compares build numbers, whatever is shown: an item of a higher one is installed instead of this release's.
fn higher_build(listing: &Listing, version: &Version) -> Option<String> {
    let others = listing.files.iter().filter(|it| !is_current(it, version));
    let higher = others.filter_map(|other| {
        let compared = other.compared.as_ref()?;
        let own = own_build(listing, compared, version)?;
        let is_higher = build::order(&compared.build, &own.build) == Ordering::Greater;
        is_higher.then_some((compared, own))
    });
    let (higher, own) = higher.into_iter().next()?;
    Some(format!(
        "it has `sparkle:version` `{}`, which is higher than `{}` of {version}: clients compare that, and install the other",
        printable(&higher.build),
        printable(&own.build)
    ))
}

/// A version that is neither shown in a form that can be ordered nor has a build number beside one of this release.
fn unordered(listing: &Listing, version: &Version) -> Option<String> {
    let by_build = |it: &&Listed| {
        let compared = it.compared.as_ref();
        compared.is_some_and(|it| own_build(listing, it, version).is_some())
    };
    let mut files = listing.files.iter().filter(|it| !by_build(it));
    let text = files.find_map(|it| {
        let shown = it.version.as_deref()?;
        order(shown, version).is_none().then_some(shown)
    });
    let of_all = listing.version.as_deref();
    let text = text.or(of_all.filter(|it| order(it, version).is_none()))?;
    Some(format!(
        "it shows `{}`, of which nobody can say whether it is newer than {version}",
        printable(text)
    ))
}

fn is_current(listed: &Listed, version: &Version) -> bool {
    let shown = listed.version.as_deref();
    shown.is_some_and(|shown| is_version(shown, version))
}

/// The highest build number of this release that the same clients see. Those of a channel see what has none as well.
fn own_build<'a>(
    listing: &'a Listing,
    other: &Compared,
    version: &Version,
) -> Option<&'a Compared> {
    let own = listing.files.iter().filter(|it| is_current(it, version));
    let own = own.filter_map(|it| it.compared.as_ref());
    let seen = own.filter(|own| {
        let is_offered = other.channel.is_none() || other.channel == own.channel;
        is_offered && is_same_system(&own.system, &other.system)
    });
    seen.max_by(|left, right| build::order(&left.build, &right.build))
}

/// WinSparkle: `windows` is for each `windows-x64` too.
fn is_same_system(left: &str, right: &str) -> bool {
    let is_within = |wide: &str, narrow: &str| {
        let rest = narrow.strip_prefix(wide);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    is_within(left, right) || is_within(right, left)
}
