//! Whom certificates may send us to.

use super::*;

#[test]
fn addresses_inside_are_not_public() {
    for inside in [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001:db8::1",
        "2001::1",
        "2002:7f00:1::",
        "ff02::1",
        "fec0::1",
    ] {
        assert!(!is_public(inside.parse().expect(inside)), "{inside}");
    }
    for outside in [
        "8.8.8.8",
        "17.253.144.10",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1",
        "2001:4860:4860::8888",
        "64:ff9b::808:808",
    ] {
        assert!(is_public(outside.parse().expect(outside)), "{outside}");
    }
}

#[test]
fn places_that_are_not_of_the_public_web_are_not_asked() {
    let judged = |text: &str, networks| Url::parse(text).map(|url| allowed(&url, networks).is_ok());
    for (text, by_public, by_any) in [
        ("http://crl.example.com/a.crl", true, true),
        ("http://crl.example.com:80/a.crl", true, true),
        ("https://crl.example.com:443/", true, true),
        ("https://crl.example.com:80/", false, true),
        ("http://crl.example.com:8080/", false, true),
        ("http://127.0.0.1/", false, true),
        // Other ways to write it, as URLs have them.
        ("http://0x7f.1/", false, true),
        ("http://2130706433/", false, true),
        ("http://[::1]/", false, true),
        ("http://[::ffff:169.254.169.254]/", false, true),
        ("http://user@crl.example.com/", false, false),
        ("ldap://crl.example.com/", false, false),
        ("file:///etc/passwd", false, false),
    ] {
        assert_eq!(judged(text, Networks::Public), Ok(by_public), "{text}");
        assert_eq!(judged(text, Networks::Any), Ok(by_any), "{text}");
    }
}

/// `localhost` is looked up, and leads inside.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_inside_is_not_asked() {
    let online = Online {
        demand: Demand::Required,
        networks: Networks::Public,
        timeout: Duration::from_secs(5),
        ticket_service: TICKET_SERVICE.to_owned(),
    };
    let fetcher = Fetcher::open(&online).expect("a client");
    let asked = tokio::task::spawn_blocking(move || {
        fetcher.fetch(Question::Crl {
            url: "http://localhost/a.crl",
        })
    });
    let why = asked.await.expect("a thread").expect_err("not asked");
    assert!(why.contains("is no address of the public web"), "{why}");
}
