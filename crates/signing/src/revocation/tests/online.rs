//! What asking comes to, by both demands.

use super::*;
use crate::revocation::report::RevocationStatus;

/// How the leaf's authority answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Ocsp,
    /// Its responder cannot be reached.
    List,
    Nobody,
}

struct World {
    pki: Arc<Pki>,
    asked: Arc<AtomicUsize>,
}

impl World {
    fn new() -> Option<Self> {
        Some(Self {
            pki: Arc::new(made()?),
            asked: Arc::default(),
        })
    }

    fn online(&self, demand: Demand, way: Way) -> Online {
        let (pki, asked) = (self.pki.clone(), self.asked.clone());
        let ask =
            move |question: Question<'_>| {
                asked.fetch_add(1, Ordering::Relaxed);
                let list = |url: &str| {
                    let name = url
                        .strip_prefix(&format!("{BASE}/"))
                        .and_then(|it| it.strip_suffix(".crl"));
                    pki.list(name.expect("a list"), "", &[])
                };
                match question {
                    Question::Crl { url } if way != Way::Nobody => Ok(Arc::new(list(url))),
                    Question::Ocsp { request, .. } if way == Way::Ocsp => Ok(Arc::new(
                        pki.respond(request, "responder", &["-ndays", "1"]),
                    )),
                    _ => Err("no route to it".to_owned()),
                }
            };
        Online::new(demand, Arc::new(ask))
    }

    /// The check of the path of a certificate.
    fn judge(
        &self,
        name: &str,
        online: &Online,
        made: Made,
    ) -> (Option<Check>, Vec<Arc<RevocationReport>>) {
        let (ca, signer) = match name {
            "leaf" => ("ca", Purpose::CodeSigning),
            _ => ("tsa-ca", Purpose::TimeStamping),
        };
        let pem = std::fs::read_to_string(self.pki.pem("root")).expect("PEM");
        let trust = Trust::nothing().with_extra_roots(&pem).expect("a root");
        let (leaf, ca) = (self.pki.der(name), self.pki.der(ca));
        let (leaf, pool) = (parsed(&leaf), [parsed(&ca)]);
        let wanted = Wanted {
            trust: &trust,
            pool: &pool,
            purpose: signer,
            at: now(),
            weak: Weak::Refused,
        };
        let path = path::build(&leaf, wanted).expect("a path");
        let at = now();
        (online.judge(&path, made, at), online.reports(&path, at))
    }
}

fn outcome(check: &Option<Check>) -> Option<Outcome> {
    check
        .as_ref()
        .inspect(|it| assert_eq!(it.id.as_str(), "x509.revocation"))
        .map(|it| it.outcome)
}

fn days_ago(days: i64) -> Timestamp {
    Timestamp::from_unix(now().unix() - days * 86_400).expect("a time")
}

#[test]
fn what_was_revoked_before_it_signed_fails_and_after_does_not() {
    let Some(world) = World::new() else { return };
    for way in [Way::Ocsp, Way::List] {
        world.pki.index("ca", &[]);
        let online = |demand| world.online(demand, way);
        let (check, reports) = world.judge("leaf", &online(Demand::Required), Made::Unknown);
        assert_eq!(outcome(&check), Some(Outcome::Pass), "{check:?}");
        assert!(
            reports.iter().all(|it| it.status == RevocationStatus::Good),
            "{reports:?}"
        );
        let by: Vec<_> = reports[0].asked.iter().map(|it| it.by).collect();
        let expected = if way == Way::Ocsp {
            &["OCSP"][..]
        } else {
            &["OCSP", "CRL"]
        };
        assert_eq!(by, expected);

        world
            .pki
            .index("ca", &[("leaf", &revoked_in(-5, "keyCompromise"))]);
        for demand in [Demand::BestEffort, Demand::Required] {
            for (made, expected) in [
                (Made::Unknown, Outcome::Fail),
                (Made::By(days_ago(4)), Outcome::Fail),
                (Made::By(days_ago(6)), Outcome::Pass),
            ] {
                let (check, reports) = world.judge("leaf", &online(demand), made);
                assert_eq!(outcome(&check), Some(expected), "{made:?}: {check:?}");
                assert_eq!(reports[0].status, RevocationStatus::Revoked);
                assert_eq!(reports[0].reason, Some("key compromise"));
            }
        }
        // The key was in doubt before the day of the revocation.
        let compromised = revoked_in(-5, &format!("keyTime,{}", in_days(-9)));
        world.pki.index("ca", &[("leaf", &compromised)]);
        let (check, _) = world.judge("leaf", &online(Demand::BestEffort), Made::By(days_ago(6)));
        assert_eq!(outcome(&check), Some(Outcome::Fail), "{check:?}");
        let (check, _) = world.judge("leaf", &online(Demand::BestEffort), Made::By(days_ago(10)));
        let check = check.expect("a check");
        assert!(
            check.is_pass() && check.reason.contains("after what it vouches for"),
            "{check:?}"
        );
    }
    // An authority that was revoked takes everything below it along.
    world.pki.index("ca", &[]);
    world
        .pki
        .index("root", &[("ca", &revoked_in(-5, "CACompromise"))]);
    let online = world.online(Demand::BestEffort, Way::Ocsp);
    let (check, _) = world.judge("leaf", &online, Made::By(days_ago(4)));
    assert_eq!(outcome(&check), Some(Outcome::Fail), "{check:?}");
}

#[test]
fn a_timestamp_outlives_only_what_leaves_its_key_beyond_doubt() {
    let Some(world) = World::new() else { return };
    for (reason, before) in [
        ("superseded", Outcome::Pass),
        ("cessationOfOperation", Outcome::Pass),
        ("affiliationChanged", Outcome::Pass),
        ("keyCompromise", Outcome::Fail),
        ("certificateHold", Outcome::Fail),
    ] {
        world
            .pki
            .index("tsa-ca", &[("tsa", &revoked_in(-5, reason))]);
        let online = world.online(Demand::Required, Way::List);
        let (check, _) = world.judge("tsa", &online, Made::Itself(days_ago(6)));
        assert_eq!(outcome(&check), Some(before), "{reason}: {check:?}");
        let (check, _) = world.judge("tsa", &online, Made::Itself(days_ago(4)));
        assert_eq!(outcome(&check), Some(Outcome::Fail), "{reason}: {check:?}");
    }
    // No reason is no such word (RFC 3161 section 4).
    let bare = revoked_in(-5, "");
    world
        .pki
        .index("tsa-ca", &[("tsa", bare.trim_end_matches(','))]);
    let online = world.online(Demand::Required, Way::List);
    let (check, _) = world.judge("tsa", &online, Made::Itself(days_ago(6)));
    assert_eq!(outcome(&check), Some(Outcome::Fail), "{check:?}");
}

#[test]
fn what_nobody_answers_for_fails_where_an_answer_is_required() {
    let Some(world) = World::new() else { return };
    let (check, reports) = world.judge(
        "leaf",
        &world.online(Demand::BestEffort, Way::Nobody),
        Made::Unknown,
    );
    assert_eq!(check, None);
    assert!(
        reports
            .iter()
            .all(|it| it.status == RevocationStatus::NotChecked),
        "{reports:?}"
    );
    assert!(
        reports[0]
            .told
            .contains(&format!("OCSP at {BASE}/ca: no route to it")),
        "{reports:?}"
    );
    let (check, _) = world.judge(
        "leaf",
        &world.online(Demand::Required, Way::Nobody),
        Made::By(days_ago(1)),
    );
    let check = check.expect("a check");
    assert_eq!(check.outcome, Outcome::Fail);
    for word in [
        "pki.test/ca:",
        "/ca.crl",
        "/root.crl",
        "no route to it",
        "--online=best-effort",
    ] {
        assert!(check.reason.contains(word), "{word}: {}", check.reason);
    }
}

#[test]
fn a_certificate_that_its_authority_does_not_know_fails() {
    let Some(world) = World::new() else { return };
    world.pki.index("ca", &[("leaf", "-")]);
    // The list does not name it, as lists name what was revoked. A responder that is asked should know.
    let (check, reports) = world.judge(
        "leaf",
        &world.online(Demand::BestEffort, Way::Ocsp),
        Made::By(days_ago(1)),
    );
    assert_eq!(outcome(&check), Some(Outcome::Fail), "{check:?}");
    assert_eq!(reports[0].status, RevocationStatus::Unknown, "{reports:?}");
    assert!(reports[0].asked.len() == 1, "{reports:?}");
}

#[test]
fn each_certificate_is_looked_up_once() {
    let Some(world) = World::new() else { return };
    let online = world.online(Demand::Required, Way::Ocsp);
    for _ in 0..20 {
        let (check, _) = world.judge("leaf", &online, Made::Unknown);
        assert_eq!(outcome(&check), Some(Outcome::Pass));
    }
    // The clock may go on by a second or two meanwhile, and another time is another question.
    let asked = world.asked.load(Ordering::Relaxed);
    assert!((2..=20).contains(&asked), "{asked}");
}
