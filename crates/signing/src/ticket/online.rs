//! Asking Apple for a ticket: what is not stapled may be there, and what is stapled may have been taken back since.
//!
//! The service has no documentation. `stapler` and Gatekeeper ask it as here: a record of the public database of a CloudKit
//! container, by a name made of what the ticket is about. It answers to anybody. What it gives is verified as any ticket.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use release::Timestamp;
use release::name::printable;
use serde::Deserialize;

use crate::checks::{Check, Outcome, TICKET_ONLINE};
use crate::digest::hex;
use crate::revocation::{Online, Question};
use crate::roots::Trust;
use crate::ticket::{self, Covered, Limits};

/// The longest answer that is read, in bytes: a ticket in base64, and some words around it.
pub(crate) const ANSWER_BYTES_MAX: usize = Limits::BYTES / 3 * 4 + 64 * 1024;

/// Whether something is notarized, and how that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notarization {
    /// When Apple made the ticket that counts.
    pub(crate) time: Option<Timestamp>,
    /// What Apple's ticket service said, where it was asked.
    pub(crate) service: Option<String>,
}

/// What the service said.
enum Said {
    Ticket(Vec<u8>),
    Nothing,
}

/// Judges the ticket that is stapled, where one is, and asks for one by the first that it must list, where that is wanted.
pub(crate) fn judge(
    stapled: Option<&[u8]>,
    wanted: &[Covered<'_>],
    at: Timestamp,
    trust: &Trust,
    checks: &mut Vec<Check>,
) -> Notarization {
    let time = stapled.and_then(|bytes| ticket::judge(bytes, wanted, at, trust, checks));
    let mut found = Notarization {
        time,
        service: None,
    };
    let online = trust.online().filter(|online| online.asks_for_tickets());
    let (Some(online), Some(name)) = (online, wanted.first()) else {
        return found;
    };
    // A stapled ticket that does not hold has failed already, and no other one excuses it.
    if stapled.is_some() && time.is_none() {
        return found;
    }
    let (service, check) = match (ask(online, name), stapled) {
        (Ok(Said::Ticket(bytes)), _) => {
            let mut of_it = Vec::new();
            let online_time = ticket::judge(&bytes, wanted, at, trust, &mut of_it);
            let wrong = of_it.iter().find(|check| check.outcome != Outcome::Pass);
            match (online_time, wrong) {
                (Some(online_time), None) => {
                    found.time = time.or(Some(online_time));
                    let said = format!("has a ticket of {online_time} that covers it");
                    (said.clone(), Some(Check::pass(TICKET_ONLINE, shown(&said))))
                }
                (_, wrong) => {
                    let why = wrong.map_or("it does not hold", |check| &check.reason);
                    let said = format!("gives a ticket that does not count: {why}");
                    found.time = None;
                    (said.clone(), Some(Check::fail(TICKET_ONLINE, shown(&said))))
                }
            }
        }
        (Ok(Said::Nothing), Some(_)) => {
            found.time = None;
            let said = "has no ticket for it any more: the one that is stapled was taken back";
            let check = Check::fail(TICKET_ONLINE, shown(said));
            (said.to_owned(), Some(check))
        }
        // Then it is not notarized. Whether it must be is a matter of the policy.
        (Ok(Said::Nothing), None) => ("has no ticket for it".to_owned(), None),
        (Err(why), _) => {
            let said = format!("gave no answer: {why}");
            let reason = format!(
                "{}; let this machine reach it, or verify with `--online=best-effort`",
                shown(&said)
            );
            let check = online.is_required();
            (said, check.then(|| Check::fail(TICKET_ONLINE, reason)))
        }
    };
    checks.extend(check);
    found.service = Some(service);
    found
}

fn shown(said: &str) -> String {
    format!("Apple's ticket service {said}")
}

#[derive(Deserialize)]
struct Answer {
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    record_name: String,
    server_error_code: Option<String>,
    #[serde(default)]
    deleted: bool,
    fields: Option<Fields>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    signed_ticket: Value,
}

#[derive(Deserialize)]
struct Value {
    value: String,
}

/// Asks for the record that is named after a digest: version 2, the kind of entry in tickets, and 20 bytes of it.
fn ask(online: &Online, name: &Covered<'_>) -> Result<Said, String> {
    let name = match name {
        Covered::Package(digest) => format!("2/1/{}", hex(digest)),
        Covered::Code(digest) => format!("2/2/{}", hex(digest)),
    };
    let request = serde_json::json!({ "records": [{ "recordName": name }] }).to_string();
    let question = Question::Ticket {
        request: request.as_bytes(),
    };
    read(&online.ask(question)?, &name)
}

fn read(bytes: &[u8], name: &str) -> Result<Said, String> {
    let answer: Answer = serde_json::from_slice(bytes).map_err(|error| {
        format!(
            "its answer cannot be read: {}",
            printable(&error.to_string())
        )
    })?;
    let [record] = answer.records.as_slice() else {
        let count = answer.records.len();
        return Err(format!("its answer has {count} records, expected one"));
    };
    if record.record_name != name {
        return Err("its answer is about something else".to_owned());
    }
    match (record.server_error_code.as_deref(), &record.fields) {
        (Some("NOT_FOUND"), _) => Ok(Said::Nothing),
        (Some(code), _) => Err(format!("it says `{}`", printable(code))),
        (None, _) if record.deleted => Ok(Said::Nothing),
        (None, Some(fields)) => match BASE64.decode(&fields.signed_ticket.value) {
            Ok(ticket) => Ok(Said::Ticket(ticket)),
            Err(_) => Err("its ticket is not base64".to_owned()),
        },
        (None, None) => Err("its answer has no ticket".to_owned()),
    }
}

/// What an answer comes to, whatever was asked, for whoever throws bytes at it.
pub(crate) fn throw(bytes: &[u8]) {
    let first: Option<Answer> = serde_json::from_slice(bytes).ok();
    let name = first.and_then(|it| it.records.into_iter().next());
    let name = name.map(|it| it.record_name).unwrap_or_default();
    if let Ok(Said::Ticket(ticket)) = read(bytes, &name) {
        drop(ticket::Ticket::parse(&ticket));
    }
}
