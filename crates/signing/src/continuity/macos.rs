//! macOS: the same app to the system, and to Sparkle.

use std::str::FromStr as _;

use release::name::printable;

use crate::apple::plist::Value;
use crate::checks::{
    CONTINUITY_BUNDLE_ID, CONTINUITY_READABLE, CONTINUITY_REQUIREMENT, CONTINUITY_SPARKLE_KEY,
    CONTINUITY_TEAM_ID, Check,
};
use crate::continuity::{InAppcasts, Released, Step};
use crate::inspection::{AppleReport, Inspection, SignatureReport};
use crate::judging::outcome;
use crate::report::Verdict;
use crate::requirement::{Answer, Shown, designated};
use crate::sparkle::PublicKey;
use crate::walk::App;

pub(super) fn compare(old: &Released, new: &Released, step: &mut Step) {
    let own = |released: &Released| released.facts.signature.clone();
    if let (Some(before), after) = (own(old), own(new)) {
        signer(&before, after.as_ref(), step);
    }
    let apps: Vec<_> = new.facts.apps().collect();
    for app in old.facts.apps() {
        match successor(app, &apps) {
            Some(found) => Pair::of(app, found, new).judge(step),
            None => step.checks.push(Check::fail(
                CONTINUITY_BUNDLE_ID,
                format!(
                    "`{}` has no successor in it: installed copies find no update in this artifact",
                    printable(&app.path)
                ),
            )),
        }
    }
}

/// What an image, package, or bare program is known by.
fn signer(before: &Inspection, after: Option<&Inspection>, step: &mut Step) {
    if before.verdict != Verdict::Valid {
        return;
    }
    let signatures = after.map_or(&[][..], |it| it.signatures.as_slice());
    step.checks
        .extend(same_team(&before.signatures, signatures, ""));
    let is_program = before.kind == crate::inspection::Kind::AppleCode;
    if is_program {
        let info = None;
        step.checks
            .extend(requirements(&before.signatures, signatures, info, ""));
    }
}

fn name(app: &App) -> &str {
    app.path.rsplit('/').next().unwrap_or_default()
}

/// The app that takes the place of one: of the same name, or the only one.
fn successor<'a>(app: &App, apps: &[&'a App]) -> Option<&'a App> {
    let mut same = apps.iter().filter(|it| name(it) == name(app));
    same.next()
        .or(match apps {
            [only] => Some(only),
            _ => None,
        })
        .copied()
}

/// An app and its successor.
struct Pair<'a> {
    old: &'a App,
    new: &'a App,
    before: Option<Value>,
    after: Option<Value>,
    /// What appcasts state of the successor's archive.
    sparkle: &'a InAppcasts,
}

impl<'a> Pair<'a> {
    fn of(old: &'a App, new: &'a App, next: &'a Released) -> Self {
        Self {
            old,
            new,
            before: Value::parse(&old.info).ok(),
            after: Value::parse(&new.info).ok(),
            sparkle: &next.sparkle,
        }
    }

    fn judge(&self, step: &mut Step) {
        let what = format!("`{}`: ", printable(name(self.old)));
        let (Some(before), Some(after)) = (&self.before, &self.after) else {
            let reason = format!("{what}an `Info.plist` cannot be read");
            step.checks.push(Check::fail(CONTINUITY_READABLE, reason));
            return;
        };
        step.checks.push(same_bundle(before, after, &what));
        let mut is_accepted = false;
        let mut is_signed = apples(&self.old.signatures).map(|(_, it)| !it.code.path.is_empty());
        match (is_signed.any(|it| it), self.old.verdict) {
            (true, Verdict::Valid) => {
                let signatures = &self.new.signatures;
                step.checks
                    .extend(same_team(&self.old.signatures, signatures, &what));
                let mut judged =
                    requirements(&self.old.signatures, signatures, Some(after), &what);
                if self.new.verdict != Verdict::Valid {
                    let reason = format!(
                        "{what}the new app's own signature does not hold, and then no demand is met"
                    );
                    judged.push(Check::fail(CONTINUITY_REQUIREMENT, reason));
                }
                is_accepted = judged.iter().all(Check::is_pass);
                step.checks.extend(judged);
            }
            (true, _) => {
                let reason = format!(
                    "{what}the previous app's signature does not hold; is it what users downloaded?"
                );
                step.checks.push(Check::fail(CONTINUITY_READABLE, reason));
            }
            (false, _) => step.note(format!(
                "{what}the previous app was signed by nobody who is trusted, so macOS holds no successor to anything"
            )),
        }
        self.sparkle(before, after, is_accepted, &what, step);
        notes(
            before,
            after,
            &self.old.signatures,
            &self.new.signatures,
            &what,
            step,
        );
    }

    /// Sparkle takes an update whose archive its own key signed, or, so that keys can be changed, one that the new app's key
    /// signed and that the system takes for the same app (Sparkle 2, SUUpdateValidator).
    fn sparkle(
        &self,
        before: &Value,
        after: &Value,
        is_accepted: bool,
        what: &str,
        step: &mut Step,
    ) {
        let Some(old) = sparkle_key(before) else {
            return;
        };
        if PublicKey::from_str(&old).is_err() {
            let reason = format!("{what}`SUPublicEDKey` of the previous app is no key");
            step.checks.push(Check::fail(CONTINUITY_READABLE, reason));
            return;
        }
        let new = sparkle_key(after);
        let is_kept = new.as_ref() == Some(&old);
        let shown = |key: Option<&String>| key.map_or("none".to_owned(), |it| printable(it));
        let holds = |key: Option<&String>| {
            let keys = match self.sparkle {
                InAppcasts::Signed(keys) => keys.as_slice(),
                InAppcasts::Unlisted | InAppcasts::Unsigned => &[],
            };
            key.is_some_and(|key| keys.contains(key))
        };
        let check = |failure: Option<String>, passes: String| {
            let failure = failure.map(|it| format!("{what}{it}"));
            outcome(CONTINUITY_SPARKLE_KEY, failure, format!("{what}{passes}"))
        };
        let from = format!("`{}`", shown(Some(&old)));
        let to = format!("`{}`", shown(new.as_ref()));
        let checked = match (self.sparkle, is_kept) {
            // Without a signature to check, what is certain is that both may not change.
            (InAppcasts::Unlisted, true) => {
                step.note(format!(
                    "{what}no appcast here lists this archive, so no Sparkle signature was checked"
                ));
                check(
                    None,
                    format!("installed apps and the new one have the key {from}"),
                )
            }
            (InAppcasts::Unlisted, false) if is_accepted => {
                step.note(format!(
                    "{what}no appcast here lists this archive, so no Sparkle signature was checked"
                ));
                check(
                    None,
                    format!(
                        "the key changes from {from} to {to}, and macOS takes both for one app"
                    ),
                )
            }
            (InAppcasts::Unlisted, false) => check(
                Some(format!(
                    "the key changes from {from} to {to}, and who signed the app changes too: Sparkle allows one of them at a time"
                )),
                String::new(),
            ),
            (InAppcasts::Unsigned, _) => check(
                Some(format!(
                    "installed apps have the key {from}, and an appcast lists the archive without `sparkle:edSignature`: they refuse it; sign with `sign_update` and that key"
                )),
                String::new(),
            ),
            (InAppcasts::Signed(_), _) if holds(Some(&old)) => check(
                None,
                format!("the archive is signed by {from}, which installed apps have"),
            ),
            (InAppcasts::Signed(_), false) if holds(new.as_ref()) && is_accepted => check(
                None,
                format!(
                    "the archive is signed by the new key {to}, and macOS takes both for one app"
                ),
            ),
            (InAppcasts::Signed(_), _) => check(
                Some(format!(
                    "installed apps have the key {from}, and not every signature that appcasts state holds under it; sign with `sign_update` and that key"
                )),
                String::new(),
            ),
        };
        step.checks.push(checked);
    }
}

/// The key by which an app believes updates.
pub(super) fn sparkle_key(info: &Value) -> Option<String> {
    info.get("SUPublicEDKey")?
        .text()
        .map(|it| it.trim().to_owned())
}

fn same_bundle(before: &Value, after: &Value, what: &str) -> Check {
    let identifier = |info: &Value| {
        let text = info.get("CFBundleIdentifier").and_then(Value::text);
        text.map(printable).unwrap_or_default()
    };
    let (before, after) = (identifier(before), identifier(after));
    let failure = (before != after).then(|| {
        format!(
            "{what}the bundle was `{before}`, and is `{after}`: to macOS that is another app, without the old one's permissions, keychain items, and updates"
        )
    });
    outcome(
        CONTINUITY_BUNDLE_ID,
        failure,
        format!("{what}`{after}` as before"),
    )
}

/// None where no trusted team signed before.
fn same_team(old: &[SignatureReport], new: &[SignatureReport], what: &str) -> Option<Check> {
    let team = |signatures: &[SignatureReport]| {
        let mut signers = signatures.iter().filter_map(|it| it.signer.as_ref());
        signers.find_map(|it| it.team_id.clone())
    };
    let before = team(old)?;
    let failure = match team(new) {
        Some(after) if after == before => None,
        Some(after) => Some(format!(
            "{what}signed by team `{before}` before, and by `{after}` now"
        )),
        None => Some(format!(
            "{what}signed by team `{before}` before, and now by no team that is trusted"
        )),
    };
    Some(outcome(
        CONTINUITY_TEAM_ID,
        failure,
        format!("{what}signed by team `{before}` as before"),
    ))
}

fn apples(signatures: &[SignatureReport]) -> impl Iterator<Item = (&str, &AppleReport)> {
    let apple = |it: &'_ SignatureReport| it.apple.is_some();
    let signatures = signatures.iter().filter(move |it| apple(it));
    signatures.filter_map(|it| Some((it.place.as_str(), it.apple.as_ref()?)))
}

/// Every slice of the successor is what every slice of the previous one demands: an update is judged by whichever runs.
fn requirements(
    old: &[SignatureReport],
    new: &[SignatureReport],
    info: Option<&Value>,
    what: &str,
) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for (place, before) in apples(old) {
        let requirement = match designated(&before.code) {
            Ok(requirement) => requirement,
            Err(reason) => {
                let reason =
                    format!("{what}{place}: the previous app's designated requirement: {reason}");
                checks.push(Check::fail(CONTINUITY_READABLE, reason));
                continue;
            }
        };
        let mut answers = apples(new).map(|(slice, after)| {
            let code = after.code.as_ref();
            (slice, requirement.judge(Shown { code, info }))
        });
        let refusing = answers.find(|(_, answer)| *answer != Answer::Holds);
        let is_there = apples(new).next().is_some();
        let failure = match (refusing, is_there) {
            (Some((slice, Answer::Fails(why) | Answer::Unknown(why))), _) => Some(format!(
                "{what}{slice}: installed copies demand `{requirement}`, and {why}; sign with the same certificate kind, team, and identifier"
            )),
            (_, false) => Some(format!(
                "{what}installed copies demand `{requirement}`, and the new one has no signature that can be read"
            )),
            (_, true) => None,
        };
        let check = outcome(
            CONTINUITY_REQUIREMENT,
            failure,
            format!("{what}it meets `{requirement}`"),
        );
        // Slices demand the same as a rule.
        if !checks.contains(&check) {
            checks.push(check);
        }
    }
    checks
}

/// What users of older systems, and readers of another feed, should know of.
fn notes(
    before: &Value,
    after: &Value,
    old: &[SignatureReport],
    new: &[SignatureReport],
    what: &str,
    step: &mut Step,
) {
    let text = |info: &Value, key: &str| info.get(key).and_then(Value::text).map(printable);
    for (key, why) in [
        (
            "LSMinimumSystemVersion",
            "users of older systems cannot start it",
        ),
        (
            "SUFeedURL",
            "installed copies read the old address: leave the appcast there too",
        ),
    ] {
        let (from, to) = (text(before, key), text(after, key));
        if from != to {
            let shown = |it: Option<String>| it.map_or("none".to_owned(), |it| format!("`{it}`"));
            step.note(format!(
                "{what}`{key}` changes from {} to {}: {why}",
                shown(from),
                shown(to)
            ));
        }
    }
    let places = |it: &[SignatureReport]| it.iter().map(|it| it.place.clone()).collect::<Vec<_>>();
    let after = places(new);
    for gone in places(old).iter().filter(|it| !after.contains(it)) {
        step.note(format!(
            "{what}there is no code for {gone} any more: users of such machines get no update"
        ));
    }
}
