//! What must agree between keys.

use std::collections::{BTreeMap, BTreeSet};

use release::name::{App, printable};
use release::{BasisPoints, Channel, Version};
use signing::authenticode::Signer;
use signing::{AptRule, ProvenanceRule, SnapRule};
use store::Location;

use super::{AppConfig, ChannelConfig};
use crate::artifacts::Rule;

/// The most tiers that a rollout can have.
const TIERS_MAX: usize = 20;

pub(super) fn store(text: &str, errors: &mut Vec<String>) {
    if let Err(error) = text.parse::<Location>() {
        errors.push(format!("`store`: {error}"));
    }
}

/// The address without a slash at its end.
pub(super) fn public_url(text: &str, errors: &mut Vec<String>) -> String {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"\"'<>\\`?#".contains(&b));
    let begins =
        text.starts_with("https://") || text.starts_with("http://") || text.starts_with('/');
    if !plain || !begins || text.len() > 512 {
        let found = printable(text);
        errors.push(format!("`public-url`: `{found}` is not an address; expected `https://dl.example.com` or an absolute path such as `/dl`"));
    }
    text.trim_end_matches('/').to_owned()
}

pub(super) fn artifacts(rules: &[Rule], errors: &mut Vec<String>) {
    if rules.is_empty() {
        errors.push("`artifacts` is empty; a release has at least one".to_owned());
    }
    let mut seen = BTreeSet::new();
    for Rule { path: text, .. } in rules {
        path("artifacts", text, errors);
        let path = text;
        if !seen.insert(path) {
            errors.push(format!(
                "`artifacts` has the rule `{}` twice",
                printable(path)
            ));
        }
    }
}

pub(super) fn signer(signer: &Signer, errors: &mut Vec<String>) {
    let identities = [&signer.organization, &signer.azure_identity];
    let given = identities.map(Option::as_deref).into_iter().flatten();
    if given.clone().all(|text| text.trim().is_empty()) {
        errors.push(
            "`authenticode` names nobody; give `organization` or `azure-identity`, as `lastmile inspect` shows them"
                .to_owned(),
        );
    }
}

/// What Apple calls a team: ten letters and digits.
pub(super) fn team_id(text: &str, errors: &mut Vec<String>) {
    let shaped = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    if text.len() != 10 || !text.bytes().all(shaped) {
        errors.push(format!(
            "`team-id`: `{}` is not a Team ID; expected ten capital letters and digits, as `lastmile inspect` shows them",
            printable(text)
        ));
    }
}

/// Where a repository of apt is.
pub(super) fn apt(rule: &AptRule, errors: &mut Vec<String>) {
    path("apt.release", &rule.release, errors);
    path("apt.key", &rule.signer.key, errors);
    let name = rule.release.rsplit('/').next();
    if !matches!(name, Some("InRelease" | "Release")) {
        let release = printable(&rule.release);
        errors.push(format!(
            "`apt.release` is `{release}`; expected the path of `InRelease`, or of `Release` with `Release.gpg` beside it"
        ));
    }
}

/// A snap, by what the store calls it and whose it is (snapd, `asserts/account.go`, `snap/naming`).
pub(super) fn snap(rule: &SnapRule, errors: &mut Vec<String>) {
    let is_account = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let SnapRule { account, name, .. } = rule;
    if account.is_empty() || !account.bytes().all(is_account) {
        errors.push(format!(
            "`snap.account`: `{}` is not the id of an account; expected `publisher-id`, as `snap known snap-declaration` shows it",
            printable(account)
        ));
    }
    if name.is_empty() || !name.bytes().all(is_name) {
        errors.push(format!(
            "`snap.name`: `{}` is not the name of a snap; expected small letters, digits, and hyphens",
            printable(name)
        ));
    }
}

/// Where artifacts are built: for any version the ref is one.
pub(super) fn provenance(rule: &ProvenanceRule, errors: &mut Vec<String>) {
    if let Err(error) = rule.provenance(&Version::new(1, 4, 0)) {
        errors.push(format!("`provenance.ref`: {error}"));
    }
    if let Some(bundle) = &rule.bundle {
        path("provenance.bundle", bundle, errors);
    }
}

/// A path or glob that stays below the configuration, and prints as it is.
pub(super) fn path(key: &str, text: &str, errors: &mut Vec<String>) {
    let leaves = text.split('/').any(|part| part == "..")
        || text.starts_with('/')
        || text.contains(['\\', ':'])
        || text.contains(char::is_control);
    if leaves || text.is_empty() {
        errors.push(format!(
            "`{key}`: `{}` is not a path below this file with `/` between",
            printable(text)
        ));
    }
}

pub(super) fn channels(channels: &BTreeMap<Channel, ChannelConfig>, errors: &mut Vec<String>) {
    if channels.is_empty() {
        errors.push(
            "`channels` is empty; clients follow at least one, such as `stable: {}`".to_owned(),
        );
    }
    for (name, channel) in channels {
        tiers(name, channel, errors);
        let mut at = name;
        let mut steps = 0;
        while let Some(next) = channels
            .get(at)
            .and_then(|channel| channel.follows.as_ref())
        {
            steps += 1;
            if !channels.contains_key(next) {
                errors.push(format!(
                    "channel `{at}` follows `{next}`, which is not there"
                ));
                break;
            }
            if next == name || steps > channels.len() {
                errors.push(format!("channel `{name}` follows itself"));
                break;
            }
            at = next;
        }
    }
}

/// A tag belongs to one app: what one format writes, no other may read.
pub(super) fn tag_formats(apps: &BTreeMap<App, AppConfig>, errors: &mut Vec<String>) {
    let sample = Version::new(1, 4, 0);
    for (name, app) in apps {
        let format = &app.tag_format;
        for (other, read_by) in apps.iter().filter(|(other, _)| *other != name) {
            if read_by.tag_format.version(&format.tag(&sample)).is_some() {
                errors.push(format!("`tag.format` of `{name}` is `{format}`, which `{other}` takes for its own tags; put the app's name into it, such as `{name}-v{{version}}`"));
            }
        }
    }
}

fn tiers(name: &Channel, channel: &ChannelConfig, errors: &mut Vec<String>) {
    let tiers = &channel.tiers;
    if tiers.len() > TIERS_MAX {
        errors.push(format!(
            "channel `{name}` has {} tiers; at most {TIERS_MAX}",
            tiers.len()
        ));
    }
    let mut names = BTreeSet::new();
    let mut highest = None::<BasisPoints>;
    for tier in tiers {
        if !names.insert(&tier.name) {
            errors.push(format!("channel `{name}` has two tiers `{}`", tier.name));
        }
        match (tier.share, &tier.cohort) {
            (None, None) => errors.push(format!(
                "tier `{}` of `{name}` has neither `share` nor `cohort`",
                tier.name
            )),
            (Some(_), Some(_)) => errors.push(format!(
                "tier `{}` of `{name}` has both `share` and `cohort`; make two tiers",
                tier.name
            )),
            (Some(share), None) if highest.is_some_and(|highest| share <= highest) => {
                errors.push(format!(
                    "tier `{}` of `{name}` has {share}, not more than the tier before; shares rise",
                    tier.name
                ));
            }
            (Some(share), None) if share == BasisPoints::NONE => {
                errors.push(format!(
                    "tier `{}` of `{name}` has 0 %, which is nobody",
                    tier.name
                ));
            }
            (Some(share), None) => highest = Some(share),
            (None, Some(_)) => {}
        }
    }
    if !tiers.is_empty() && tiers.last().and_then(|tier| tier.share) != Some(BasisPoints::ALL) {
        errors.push(format!(
            "the last tier of `{name}` is not `share: 100%`; a rollout ends with everyone"
        ));
    }
}
