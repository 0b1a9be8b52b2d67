//! The publisher that a manifest names, compared with the subject of a certificate.
//!
//! A publisher is a distinguished name in the form of Windows: the last part first, `CN=…, O=…`, and quotes around values
//! with a comma. Windows installs a package only where both are the same name.

use release::name::printable;

use crate::x509::Name;

/// Types of parts, as Windows writes them (Microsoft Learn, "Identity (Windows 10)", on the attribute `Publisher`).
const TYPES: [(&str, &str); 20] = [
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("E", "1.2.840.113549.1.9.1"),
    ("C", "2.5.4.6"),
    ("S", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("T", "2.5.4.12"),
    ("G", "2.5.4.42"),
    ("I", "2.5.4.43"),
    ("SN", "2.5.4.4"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("Description", "2.5.4.13"),
    ("PostalCode", "2.5.4.17"),
    ("POBox", "2.5.4.18"),
    ("Phone", "2.5.4.20"),
    ("X21Address", "2.5.4.24"),
    ("dnQualifier", "2.5.4.46"),
];

/// Why a publisher is not the subject of a certificate. None where it is.
pub(super) fn mismatch(publisher: &str, subject: Name<'_>) -> Option<String> {
    let mut expected: Vec<_> = subject
        .parts()
        .map(|(oid, value)| (oid.to_string(), value))
        .collect();
    expected.reverse();
    let stated = parse(publisher);
    (stated.as_ref() != Some(&expected)).then(|| {
        format!(
            "the publisher in the manifest is `{}`, signed is by `{subject}`; Windows installs only what is signed by its publisher",
            printable(publisher)
        )
    })
}

/// A name as Windows writes it: the last part first, and quotes where a value needs them (Microsoft Learn, CertNameToStr).
pub(crate) fn on_windows(subject: Name<'_>) -> String {
    /// Parts that are read. Real names have up to ten.
    const PARTS_MAX: usize = 100;
    let mut parts: Vec<_> = subject.parts().take(PARTS_MAX).collect();
    parts.reverse();
    let shown = parts.iter().map(|(oid, value)| {
        let oid = oid.to_string();
        let known = TYPES.iter().find(|(_, known)| *known == oid);
        let kind = known.map_or(format!("OID.{oid}"), |(kind, _)| (*kind).to_owned());
        let is_plain = !value.contains([',', '+', '=', '"', '\n', '<', '>', '#', ';'])
            && value.trim() == value
            && !value.is_empty();
        match is_plain {
            true => format!("{kind}={value}"),
            false => format!("{kind}=\"{}\"", value.replace('"', "\"\"")),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The types, as numbers, and values of a name.
fn parse(text: &str) -> Option<Vec<(String, String)>> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (kind, behind) = rest.split_once('=')?;
        let known = TYPES.iter().find(|(name, _)| *name == kind);
        let oid = match known {
            Some((_, oid)) => *oid,
            None => kind.strip_prefix("OID.")?,
        };
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => {
                let end = behind.find(',').unwrap_or(behind.len());
                let (value, behind) = behind.split_at(end);
                if value.contains(['+', '"', '<', '>', '#', ';']) {
                    return None;
                }
                (value.to_owned(), behind)
            }
        };
        parts.push((oid.to_owned(), value));
        if behind.is_empty() {
            return Some(parts);
        }
        rest = behind.strip_prefix(',')?.trim_start_matches(' ');
    }
}

/// A value up to its closing quote, and what is behind that. Two quotes are one.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (before, behind) = rest.split_once('"')?;
        value.push_str(before);
        match behind.strip_prefix('"') {
            Some(behind) => {
                value.push('"');
                rest = behind;
            }
            None => return Some((value, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::Cursor;

    fn parsed(text: &str) -> Option<Vec<(String, String)>> {
        parse(text)
    }

    /// Written as Windows writes it, every real name is read as the same parts.
    #[test]
    fn names_are_written_as_they_are_read() {
        let mut count = 0;
        for pem in [
            include_str!("../../fixtures/pki/certificates.pem"),
            include_str!("../../fixtures/zipped/certificates.pem"),
        ] {
            for name in crate::tests::subjects(pem) {
                let name = Name::read(&mut Cursor::new(&name)).expect("a name");
                let parts = name.parts().map(|(oid, value)| (oid.to_string(), value));
                let mut expected: Vec<_> = parts.collect();
                expected.reverse();
                assert_eq!(parse(&on_windows(name)), Some(expected));
                count += 1;
            }
        }
        assert!(count > 2);
        let set = |kind: &[u8], value: &[u8]| {
            tagged(
                0x31,
                &tagged(0x30, &[tagged(6, kind), tagged(12, value)].concat()),
            )
        };
        let both = [
            set(&[0x55, 4, 10], b"Snake \"Oil\", Inc."),
            set(&[0x55, 4, 15], b"Private"),
        ]
        .concat();
        let both = tagged(0x30, &both);
        let name = Name::read(&mut Cursor::new(&both)).expect("a name");
        assert_eq!(
            on_windows(name),
            "OID.2.5.4.15=Private, O=\"Snake \"\"Oil\"\", Inc.\""
        );
    }

    fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(value.len()).expect("short")], value].concat()
    }

    #[test]
    fn names_are_read_as_windows_writes_them() {
        let owned = |parts: &[(&str, &str)]| -> Vec<_> {
            let owned = |(kind, value): &(&str, &str)| ((*kind).to_owned(), (*value).to_owned());
            parts.iter().map(owned).collect()
        };
        assert_eq!(
            parsed("CN=\"Snake \"\"Oil\"\", Inc.\", O=a b,C=US, OID.2.5.4.15=Private"),
            Some(owned(&[
                ("2.5.4.3", "Snake \"Oil\", Inc."),
                ("2.5.4.10", "a b"),
                ("2.5.4.6", "US"),
                ("2.5.4.15", "Private"),
            ]))
        );
        for wrong in [
            "",
            "CN",
            "CN=a,",
            "CN=a + O=b",
            "CN=\"a",
            "CN=\"a\"b",
            "X=a",
            "CN=a;O=b",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
