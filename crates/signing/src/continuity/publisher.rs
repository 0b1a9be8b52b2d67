//! Whether electron-updater takes an installer for its publisher's (6.8.10, `windowsExecutableCodeSignatureVerifier`).
//!
//! It asks PowerShell for the subject of the signer, and compares that with each `publisherName`: all parts of one that is a
//! distinguished name, else the common name. The text that it reads is Windows' own, so that text is made here.

use std::collections::BTreeMap;

use release::name::printable;

use crate::inspection::Inspection;
use crate::report::Verdict;

/// Names that are read.
const NAMES_MAX: usize = 100;

/// Why installed apps refuse an installer. None where they accept it.
pub(super) fn refusal(names: &[String], signature: Option<&Inspection>) -> Option<String> {
    let accepted = names
        .iter()
        .take(4)
        .map(|it| format!("`{}`", printable(it)));
    let accepted = accepted.collect::<Vec<_>>().join(" or ");
    let next = format!("every installed app refuses it: they accept {accepted}");
    // Windows shows the first signature alone.
    let found = signature.filter(|it| it.verdict == Verdict::Valid);
    let signer = found.and_then(|it| it.signatures.first()?.signer.as_ref());
    let Some(signer) = signer else {
        return Some(format!(
            "the installer has no signature that Windows accepts, and {next}"
        ));
    };
    let subject = &signer.subject_on_windows;
    (!accepts(names, subject)).then(|| {
        format!(
            "the installer is signed by `{}`, and {next}; sign as before, or first release one whose `publisherName` lists both",
            printable(subject)
        )
    })
}

/// Whether one of the names is that of a subject, as Windows writes it.
pub(super) fn accepts(names: &[String], subject: &str) -> bool {
    let subject = parts(subject);
    names.iter().take(NAMES_MAX).any(|name| {
        let wanted = parts(name);
        match wanted.is_empty() {
            true => subject.get("CN") == Some(name),
            false => wanted
                .iter()
                .all(|(key, value)| subject.get(key) == Some(value)),
        }
    })
}

/// The parts of a distinguished name, as `parseDn` of builder-util-runtime 9.7.0 reads it; the last of a type counts.
fn parts(text: &str) -> BTreeMap<String, String> {
    let text: Vec<char> = text.trim_matches(is_space_of_javascript).chars().collect();
    let mut found = BTreeMap::new();
    let (mut key, mut token) = (None::<String>, String::new());
    let mut is_quoted = false;
    let mut at = 0;
    // From where on spaces were looked over already.
    let mut looked = 0;
    while let Some(c) = text.get(at).copied() {
        at += 1;
        match c {
            '"' => {
                is_quoted = !is_quoted;
                continue;
            }
            '\\' if !is_quoted => {
                let (read, c) = escape(text.get(at..).unwrap_or_default());
                at += read;
                if at > text.len() {
                    // It went past the end, where the last part would be kept.
                    return found;
                }
                token.push_str(&c);
                continue;
            }
            '=' if !is_quoted && key.is_none() => {
                key = Some(std::mem::take(&mut token));
                continue;
            }
            ',' | ';' | '+' if !is_quoted => {
                let value = std::mem::take(&mut token);
                if let Some(key) = key.take() {
                    found.insert(key, value);
                }
                continue;
            }
            ' ' if !is_quoted => {
                if token.is_empty() {
                    continue;
                }
                let here = at - 1;
                if here > looked {
                    let rest = text.get(here..).unwrap_or_default();
                    looked = here + rest.iter().take_while(|it| **it == ' ').count();
                }
                let is_end = match text.get(looked) {
                    None | Some(',' | ';') => true,
                    Some('=') => key.is_none(),
                    Some('+') => key.is_some(),
                    Some(_) => false,
                };
                if is_end {
                    at = looked;
                    continue;
                }
            }
            _ => {}
        }
        token.push(c);
    }
    if let Some(key) = key {
        found.insert(key, token);
    }
    found
}

/// What stands behind a backslash, as JavaScript's `parseInt` takes it: two hexadecimal digits or one, else any character. And
/// how many characters that counts as.
fn escape(rest: &[char]) -> (usize, String) {
    let digit = |at: usize| rest.get(at).and_then(|c| c.to_digit(16));
    let code = match (rest.first(), rest.get(1), digit(0), digit(1)) {
        (Some('0'), Some('x' | 'X'), ..) => None,
        (_, _, Some(high), Some(low)) => Some(high * 16 + low),
        (_, _, Some(only), None) => Some(only),
        (Some('-'), _, None, Some(0)) => Some(0),
        (Some('-'), _, None, Some(low)) => Some(0x1_0000 - low),
        (Some(first), _, None, Some(low)) if *first == '+' || is_space_of_javascript(*first) => {
            Some(low)
        }
        _ => None,
    };
    match (code.and_then(char::from_u32), rest.first()) {
        (Some(c), _) => (2, c.to_string()),
        (None, Some(c)) => (1, c.to_string()),
        (None, None) => (1, String::new()),
    }
}

/// What `String.prototype.trim` takes away (ECMA-262, WhiteSpace and LineTerminator).
fn is_space_of_javascript(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}
