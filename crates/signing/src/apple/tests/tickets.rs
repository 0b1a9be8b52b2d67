//! Real tickets, and copies of them with one thing wrong.

use super::*;
use crate::checks::Id;
use crate::ticket::{self, Covered, Ticket, TicketError};

/// The ticket of the app in the corpus, and the SHA-256 code hashes of every slice in it.
fn stapled() -> Option<(Vec<u8>, Vec<String>)> {
    let files = app()?;
    let ticket = files
        .iter()
        .find(|(path, _)| path.ends_with("app/Contents/CodeResources"));
    let programs = files.iter().filter(|(path, _)| path.contains("/MacOS/"));
    let hashes = programs.flat_map(|(_, bytes)| {
        let signatures = look(bytes).signatures;
        signatures
            .into_iter()
            .filter_map(|it| it.apple)
            .flat_map(|it| it.code_hashes)
    });
    Some((ticket.expect("a ticket").1.clone(), hashes.collect()))
}

fn bytes_of(hashes: &[String]) -> Vec<Vec<u8>> {
    let digit = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(text, 16).expect("digits")
    };
    let bytes = |hash: &String| hash.as_bytes().chunks(2).map(digit).collect();
    hashes.iter().map(bytes).collect()
}

fn judge(bytes: &[u8], hashes: &[Vec<u8>], at: Timestamp) -> (Vec<&'static str>, bool) {
    let mut checks = Vec::new();
    let wanted: Vec<_> = hashes.iter().map(|hash| Covered::Code(hash)).collect();
    let trust = Trust::microsoft().for_apple();
    let found = ticket::judge(bytes, &wanted, at, &trust, &mut checks);
    let bad = checks.iter().filter(|it| it.outcome != Outcome::Pass);
    (bad.map(|it| Id::as_str(it.id)).collect(), found.is_some())
}

#[test]
fn an_apps_ticket_lists_every_slice_of_every_program() {
    let Some((ticket, hashes)) = stapled() else {
        return;
    };
    let mut hashes = bytes_of(&hashes);
    assert_eq!(hashes.len(), 4);
    assert_eq!(judge(&ticket, &hashes, day()), (vec![], true));
    let read = Ticket::parse(&ticket).expect("a ticket");
    assert_eq!(read.entries.len(), 4);
    assert_eq!(read.time, time("2026-10-22T00:43:30Z"));
    // One more slice, which is not listed.
    hashes.push(vec![0; 20]);
    assert_eq!(
        judge(&ticket, &hashes, day()),
        (vec!["ticket.coverage"], false)
    );
    assert_eq!(judge(&ticket, &[], day()), (vec!["ticket.coverage"], false));
    // Of the future.
    let early = time("2026-10-22T00:43:29Z");
    assert_eq!(
        judge(&ticket, &hashes[..4], early),
        (vec!["ticket.chain"], false)
    );
}

#[test]
fn a_flipped_bit_anywhere_spoils_a_ticket() {
    let Some((ticket, hashes)) = stapled() else {
        return;
    };
    let hashes = bytes_of(&hashes);
    for at in 0..ticket.len() {
        let mut changed = ticket.clone();
        changed[at] ^= 1 << (at % 8);
        let (failed, holds) = judge(&changed, &hashes, day());
        assert!(!holds && !failed.is_empty(), "byte {at}: {failed:?}");
    }
}

#[test]
fn what_does_not_look_like_a_ticket_is_none() {
    let Some((ticket, _)) = stapled() else { return };
    let payload = find(&ticket, b"g8tk");
    for (at, value, error) in [
        (0, b's' + 1, TicketError::Magic),
        (4, 2, TicketError::Version),
        (8, 0, TicketError::Length),
        (payload, 0, TicketError::Magic),
        (payload + 4, 3, TicketError::Version),
        (payload + 6, 24, TicketError::Version),
        (payload + 8, 5, TicketError::Length),
        (payload + 12, 1, TicketError::Version),
        (payload + 23, 0xff, TicketError::Time),
        (payload + 24, 3, TicketError::Kind),
        (16, 0x31, TicketError::Certificates),
    ] {
        let mut changed = ticket.clone();
        changed[at] = value;
        assert_eq!(Ticket::parse(&changed).err(), Some(error), "{at}");
    }
    for bytes in 0..ticket.len() {
        assert!(Ticket::parse(&ticket[..bytes]).is_err(), "{bytes}");
    }
    let mut longer = ticket;
    longer.push(0);
    assert_eq!(Ticket::parse(&longer).err(), Some(TicketError::Length));
}
