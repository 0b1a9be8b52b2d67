//! Real packages and programs with their tickets taken off, and a ticket service that has them, or has not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::corpus::{not_passed, signer};
use super::*;
use crate::digest::{DigestAlgorithm, hex};
use crate::revocation::{Demand, Online, Question};
use crate::walk::{self, Settings, Signed};

type Asked = Arc<Mutex<Vec<String>>>;

/// What the service says of any record that is asked for.
#[derive(Clone)]
enum Service {
    Has(BTreeMap<String, Vec<u8>>),
    Says(String),
    IsNotThere,
}

/// Trust in what the service says. Nobody else answers.
fn asking(demand: Demand, service: Service) -> (Trust, Asked) {
    let asked = Asked::default();
    let names = asked.clone();
    let ask = move |question: Question<'_>| {
        let Question::Ticket { request } = question else {
            return Err("there is no way to it".to_owned());
        };
        let request: serde_json::Value = serde_json::from_slice(request).expect("JSON");
        let name = request["records"][0]["recordName"]
            .as_str()
            .expect("a name");
        names.lock().expect("no panic").push(name.to_owned());
        let answer = match &service {
            Service::IsNotThere => return Err("there is no way to it".to_owned()),
            Service::Says(text) => text.replace("NAME", name),
            Service::Has(tickets) => match tickets.get(name) {
                Some(ticket) => format!(
                    r#"{{"records":[{{"recordName":"{name}","fields":{{"signedTicket":{{"value":"{}","type":"BYTES"}}}},"deleted":false}}]}}"#,
                    BASE64.encode(ticket)
                ),
                None => format!(
                    r#"{{"records":[{{"recordName":"{name}","reason":"Record not found","serverErrorCode":"NOT_FOUND"}}]}}"#
                ),
            },
        };
        Ok(Arc::new(answer.into_bytes()))
    };
    let online = Online::new(demand, Arc::new(ask));
    (Trust::microsoft().with_online(online), asked)
}

/// A package without its ticket, that ticket, and the name of its record.
fn taken_off(version: &str) -> Option<(Vec<u8>, Vec<u8>, String)> {
    let bytes = package(version)?;
    let end = find(&bytes, b"t8lr\x01\0\x01\0");
    let ticket = bytes[end + 16..bytes.len() - 16].to_vec();
    let length = u64::from_be_bytes(*bytes[8..].first_chunk().expect("there"));
    let table = &bytes[28..28 + usize::try_from(length).expect("small")];
    let name = format!("2/1/{}", hex(&DigestAlgorithm::Sha1.hash(&[table])));
    Some((bytes[..end].to_vec(), ticket, name))
}

/// The checks that fail but for revocation, for which nobody answers here.
fn failed(inspection: &Inspection) -> Vec<&'static str> {
    let ids = super::failed(inspection).into_iter();
    ids.filter(|id| *id != "x509.revocation").collect()
}

#[test]
fn a_ticket_that_is_not_stapled_is_found_and_one_that_was_taken_back_is_missed() {
    let Some((bare, ticket, name)) = taken_off("3.2.0") else {
        return;
    };
    let policy = signer("G43BCU2T37");
    let has = || Service::Has(BTreeMap::from([(name.clone(), ticket.clone())]));
    let (trust, asked) = asking(Demand::BestEffort, has());
    let found = look_with(&bare, day(), &trust);
    assert_eq!(
        *asked.lock().expect("no panic"),
        std::slice::from_ref(&name)
    );
    assert_eq!(failed(&found), [""; 0], "{found:#?}");
    assert_eq!(not_passed(&found.judge_apple(&policy)), [""; 0]);
    let online = found
        .all_checks()
        .filter(|it| it.id.as_str() == "ticket.online");
    assert!(online.into_iter().all(Check::is_pass));
    // Stapled too.
    let stapled = package("3.2.0").expect("the same");
    let (trust, _) = asking(Demand::Required, has());
    assert_eq!(failed(&look_with(&stapled, day(), &trust)), [""; 0]);

    let nothing = Service::Has(BTreeMap::new());
    let (trust, _) = asking(Demand::BestEffort, nothing.clone());
    let found = look_with(&stapled, day(), &trust);
    assert_eq!(failed(&found), ["ticket.online"]);
    assert_eq!(found.verdict, Verdict::Untrusted);
    assert!(not_passed(&found.judge_apple(&policy)).contains(&"apple.notarized"));
    let found = look_with(&bare, day(), &trust);
    assert_eq!(
        failed(&found),
        [""; 0],
        "whether it must be is a matter of the policy"
    );
    let checks = found.judge_apple(&policy);
    assert!(checks.iter().any(
        |it| it.id.as_str() == "apple.notarized" && it.reason.contains("has no ticket for it")
    ));
}

#[test]
fn who_gives_no_ticket_fails_where_an_answer_is_required() {
    let (Some((bare, ..)), Some(stapled)) = (taken_off("3.2.0"), package("3.2.0")) else {
        return;
    };
    for (service, why) in [
        (Service::IsNotThere, "there is no way to it"),
        (Service::Says("<html>".to_owned()), "cannot be read"),
        (
            Service::Says(r#"{"records":[]}"#.to_owned()),
            "has 0 records",
        ),
        (
            Service::Says(r#"{"records":[{"recordName":"2/1/00"}]}"#.to_owned()),
            "about something else",
        ),
        (
            Service::Says(
                r#"{"records":[{"recordName":"NAME","serverErrorCode":"THROTTLED"}]}"#.to_owned(),
            ),
            "`THROTTLED`",
        ),
        (
            Service::Says(r#"{"records":[{"recordName":"NAME"}]}"#.to_owned()),
            "has no ticket",
        ),
        (
            Service::Says(
                r#"{"records":[{"recordName":"NAME","fields":{"signedTicket":{"value":"%"}}}]}"#
                    .to_owned(),
            ),
            "not base64",
        ),
    ] {
        for bytes in [&bare, &stapled] {
            let (trust, _) = asking(Demand::Required, service.clone());
            let found = look_with(bytes, day(), &trust);
            assert_eq!(failed(&found), ["ticket.online"], "{why}");
            let said = found.failed().find(|it| it.id.as_str() == "ticket.online");
            assert!(
                said.is_some_and(|it| it.reason.contains(why)),
                "{why}: {said:?}"
            );
            let (trust, _) = asking(Demand::BestEffort, service.clone());
            let found = look_with(bytes, day(), &trust);
            assert_eq!(failed(&found), [""; 0], "{why}");
            let apple = found.signatures[0].apple.as_ref().expect("Apple's");
            assert!(
                apple
                    .ticket_service
                    .as_ref()
                    .is_some_and(|it| it.contains(why)),
                "{apple:?}"
            );
        }
    }
    let deleted = r#"{"records":[{"recordName":"NAME","deleted":true}]}"#;
    let (trust, _) = asking(Demand::BestEffort, Service::Says(deleted.to_owned()));
    assert_eq!(
        failed(&look_with(&stapled, day(), &trust)),
        ["ticket.online"]
    );
}

#[test]
fn a_ticket_from_the_service_is_verified_as_any() {
    let (Some((bare, ticket, name)), Some((_, other, _))) =
        (taken_off("3.2.0"), taken_off("3.1.0"))
    else {
        return;
    };
    let mut spoilt = ticket.clone();
    spoilt[40] ^= 1;
    for (ticket, why) in [
        (other, "does not list the package"),
        (spoilt, "ticket"),
        (ticket[..ticket.len() - 1].to_vec(), "cannot be read"),
        (Vec::new(), "cannot be read"),
    ] {
        let has = Service::Has(BTreeMap::from([(name.clone(), ticket)]));
        let (trust, _) = asking(Demand::BestEffort, has);
        let found = look_with(&bare, day(), &trust);
        assert_eq!(failed(&found), ["ticket.online"], "{why}");
        let said = found.failed().find(|it| it.id.as_str() == "ticket.online");
        assert!(
            said.is_some_and(|it| it.reason.contains(why)),
            "{why}: {said:?}"
        );
        assert_eq!(
            found.signatures[0]
                .apple
                .as_ref()
                .expect("Apple's")
                .notarized,
            None
        );
    }
}

/// A bare program cannot have a ticket, and Apple knows it by each slice.
#[test]
fn a_bare_program_is_notarized_where_apple_says_so() {
    let (Some(program), Some(files)) = (program(), app()) else {
        return;
    };
    let ticket = files
        .iter()
        .find(|(path, _)| path.ends_with("app/Contents/CodeResources"));
    let ticket = &ticket.expect("a ticket").1;
    let hashes = look(&program)
        .signatures
        .into_iter()
        .filter_map(|it| it.apple);
    let names: Vec<_> = hashes
        .flat_map(|it| it.code_hashes)
        .map(|hash| format!("2/2/{hash}"))
        .collect();
    assert_eq!(names.len(), 2);
    let all: BTreeMap<_, _> = names
        .iter()
        .map(|name| (name.clone(), ticket.clone()))
        .collect();
    let (trust, asked) = asking(Demand::BestEffort, Service::Has(all.clone()));
    let found = look_with(&program, day(), &trust);
    assert_eq!(*asked.lock().expect("no panic"), names);
    assert_eq!(failed(&found), [""; 0]);
    assert_eq!(
        not_passed(&found.judge_apple(&signer("S8XHQB96PW"))),
        [""; 0]
    );
    // Of one slice only.
    let one = all.into_iter().take(1).collect();
    let (trust, _) = asking(Demand::BestEffort, Service::Has(one));
    let found = look_with(&program, day(), &trust);
    assert_eq!(
        not_passed(&found.judge_apple(&signer("S8XHQB96PW"))),
        ["apple.notarized"]
    );
}

#[test]
fn an_app_is_asked_for_once_and_not_each_of_its_programs() {
    let Some(folder) = shared() else { return };
    let tar = std::fs::read(folder.join("app/mitmproxy/Mitmproxy Redirector.app.tar"));
    let tar = tar.expect("a file of the corpus");
    let (trust, asked) = asking(Demand::BestEffort, Service::Has(BTreeMap::new()));
    let settings = Settings {
        at: day(),
        trust: &trust,
        room: || Ok(Box::new(Cursor::new(Vec::new()))),
        signed: Signed::Opened,
    };
    let contents = walk::walk(&mut Cursor::new(&tar), settings).expect("memory");
    let contents = contents.expect("a container");
    let asked = asked.lock().expect("no panic").clone();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with("2/2/"));
    // It is stapled, and the service has nothing any more.
    let bad = contents
        .leaves
        .iter()
        .filter(|leaf| leaf.verdict() != Verdict::Valid);
    let failed: Vec<_> = bad
        .flat_map(|leaf| super::failed(leaf.signature.as_ref().expect("a signature")))
        .collect();
    assert_eq!(failed, ["ticket.online"]);
}
