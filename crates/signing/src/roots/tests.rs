use super::*;

#[test]
fn the_table_is_whole_and_says_where_it_is_from() {
    assert_eq!(table::source().as_deref(), Some(MICROSOFT_ROOT_SET));
    let roots = table::all();
    assert!(roots.len() > 300, "{}", roots.len());
    // Each can be read.
    assert_eq!(roots.len(), table::count());
    for anchor in &roots {
        let found = table::find(anchor.certificate.subject.raw());
        let raw = anchor.certificate.raw;
        assert!(found.iter().any(|found| found.certificate.raw == raw));
    }
    assert!(table::find(b"nobody").is_empty());
}

#[test]
fn what_the_program_says_of_a_root_is_honoured() {
    let roots = table::all();
    let named = |name: &str| {
        let mut found = roots.iter();
        found
            .find(|anchor| anchor.certificate.to_string() == format!("`{name}`"))
            .unwrap_or_else(|| panic!("{name}"))
    };
    let time = |text: &str| text.parse::<Timestamp>().expect("a time");
    let old = named("Microsoft Root Certificate Authority");
    let (issued, signed) = (time("2009-01-01T00:00:00Z"), time("2010-01-01T00:00:00Z"));
    let judged = |issued, at| old.judge(Purpose::CodeSigning, issued, at);
    assert_eq!(judged(issued, signed), Ok(()));
    let late = judged(time("2017-05-01T00:00:00Z"), time("2017-06-01T00:00:00Z"));
    assert!(late.is_err_and(|why| why.contains("issued since 2017-04-30")));
    let late = judged(issued, time("2021-08-01T00:00:00Z"));
    assert!(late.is_err_and(|why| why.contains("since 2021-08-01")));
}

#[test]
fn extra_roots_are_certificates_or_an_error() {
    let wrong = |text: &str| Trust::nothing().with_extra_roots(text).map(|_| ());
    assert_eq!(wrong(""), Err(RootError::NoCertificate));
    let begin = "-----BEGIN CERTIFICATE-----";
    let end = "-----END CERTIFICATE-----";
    let cut = RootError::Pem {
        number: 1,
        why: "its end is missing",
    };
    assert_eq!(wrong(begin), Err(cut));
    assert!(matches!(
        wrong(&format!("{begin}\n?\n{end}")),
        Err(RootError::Pem { .. })
    ));
    assert!(matches!(
        wrong(&format!("{begin}\nMAA=\n{end}")),
        Err(RootError::Certificate { number: 1, .. })
    ));
}

#[test]
fn what_is_compiled_in_is_shown() {
    let sets = root_sets();
    let names: Vec<_> = sets.iter().map(|set| set.name).collect();
    assert_eq!(names, [MICROSOFT_ROOT_SET, APPLE_ROOT_SET]);
    let microsoft = &sets[0].roots;
    assert_eq!(microsoft.len(), table::count());
    let old = microsoft
        .iter()
        .find(|root| {
            root.subject
                .contains("Microsoft Root Certificate Authority,")
        })
        .or_else(|| {
            let mut roots = microsoft.iter();
            roots.find(|root| {
                root.subject
                    .ends_with("Microsoft Root Certificate Authority")
            })
        })
        .expect("the root of 2001");
    let bounded = old.code_signing.expect("for code signing");
    let issued = bounded.issued_before.map(Timestamp::date);
    assert_eq!(issued.as_deref(), Some("2017-04-30"));
    assert!(microsoft.iter().any(|root| root.code_signing.is_none()));
    let apple = &sets[1].roots;
    assert_eq!(apple.len(), 3);
    assert!(apple.iter().all(|root| root.code_signing.is_some()));
}
