//! What openssl lists and answers is judged as openssl judges it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use crate::checks::Outcome;
use crate::path::{self, Wanted, Weak};
use crate::roots::{Purpose, Trust};
use crate::tests::skipped;

mod crafted;
mod lists;
mod online;
#[path = "../../../testkit/src/pki.rs"]
#[expect(
    unreachable_pub,
    dead_code,
    reason = "it is a module of `testkit`, which tests over sockets"
)]
mod pki;
mod responses;

use pki::Pki;

const BASE: &str = "http://pki.test";

/// The PKI that all tests here read. None where openssl is not there, which is said.
fn pki() -> Option<&'static Pki> {
    static PKI: OnceLock<Option<Pki>> = OnceLock::new();
    let made = PKI.get_or_init(made);
    made.as_ref()
}

/// One of a test's own, whose authorities may change their minds.
fn made() -> Option<Pki> {
    let found = std::process::Command::new("openssl")
        .arg("version")
        .output();
    match found {
        Ok(_) => Some(Pki::new(BASE, BASE)),
        Err(_) => {
            skipped("`openssl` is not installed");
            None
        }
    }
}

/// openssl judges by the clock of this machine, and so do these tests.
fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    Timestamp::from_unix(i64::try_from(since.as_secs()).expect("seconds")).expect("a time")
}

/// As `openssl ca` writes times, some days from now.
fn in_days(days: i64) -> String {
    let at = Timestamp::from_unix(now().unix() + days * 86_400).expect("a time");
    let digits: String = at
        .to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    format!("{}Z", &digits[..14])
}

/// The same as `index.txt` has it, with two digits of the year.
fn revoked_in(days: i64, reason: &str) -> String {
    format!("{},{reason}", &in_days(days)[2..])
}

/// Gives what is asked about, from bytes that live as long.
fn about<'a>(certificate: &'a Certificate<'a>, issuer: &'a Certificate<'a>) -> answer::About<'a> {
    answer::About {
        certificate,
        issuer,
        now: now(),
    }
}

fn parsed(der: &[u8]) -> Certificate<'_> {
    Certificate::parse(der).expect("a certificate")
}
