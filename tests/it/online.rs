//! `--online`: real responders and lists of openssl on this machine, well and badly behaved, and a ticket service as Apple's.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use testkit::pki::Pki;
use testkit::web::{Page, Web};
use testkit::{Ran, World, judge};

use crate::world;

/// A release of one program, signed and timestamped under a PKI whose places are on this machine.
struct Signed {
    world: World,
    web: Web,
    pki: Arc<Pki>,
    port: u16,
}

/// A time as `index.txt` of openssl has it, some days from now.
fn in_days(days: i64) -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let at = i64::try_from(since.as_secs()).expect("seconds") + days * 86_400;
    let at = release::Timestamp::from_unix(at)
        .expect("a time")
        .to_string();
    let digits: String = at.chars().filter(char::is_ascii_digit).collect();
    format!("{}Z", &digits[2..14])
}

impl Signed {
    fn new() -> Option<Self> {
        if !judge::has_program("openssl") || !judge::has_program("osslsigncode") {
            return None;
        }
        let (world, web) = (world(), Web::start());
        // Below those that systems hand out, so that no server of another test takes it in the meantime.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let first = 20_000 + u16::try_from(std::process::id() % 100).expect("small") * 100;
        let port = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed) % 100)
            .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
            .expect("a free port");
        let pki = Arc::new(Pki::new(web.address(), &format!("http://127.0.0.1:{port}")));
        world.write("root.pem", &fs::read(pki.pem("root")).expect("PEM"));
        let signed = Self {
            world,
            web,
            pki,
            port,
        };
        signed.sign();
        let config = "app: atlas\nstore: file:./store\npublic-url: /dl\nversion: \"1.4.0\"\n\
            artifacts:\n  - { path: \"dist/*.exe\", platform: windows-x64, kind: exe }\n\
            signing:\n  windows: { authenticode: { organization: Snake Oil Ltd } }\n  roots: [root.pem]\n\
            feeds: [manifest]\nchannels:\n  stable: {}\n";
        signed.world.write("lastmile.yml", config.as_bytes());
        signed.lists(&["root", "tsa-ca", "ca"]);
        Some(signed)
    }

    /// Signs a program of the fixtures anew.
    fn sign(&self) {
        let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../signing/fixtures/pki/signed.exe");
        let (bare, signed) = (
            self.world.path("bare.exe"),
            self.world.path("dist/atlas.exe"),
        );
        fs::create_dir_all(self.world.path("dist")).expect("a folder");
        let chain = self.pki.path("chain.pem");
        let both = ["leaf", "ca"].map(|name| fs::read(self.pki.pem(name)).expect("PEM"));
        fs::write(&chain, both.concat()).expect("a chain");
        let pki = self.pki.clone();
        let reply = Page::Made(
            "application/timestamp-reply",
            Arc::new(move |query| pki.timestamp(query)),
        );
        self.web.put("/tsa", reply);
        let run = |command: &mut Command| {
            let ran = command.output().expect("osslsigncode is there");
            assert!(ran.status.success(), "{ran:?}");
        };
        let mut removing = Command::new("osslsigncode");
        removing
            .args(["remove-signature", "-in"])
            .arg(&old)
            .arg("-out")
            .arg(&bare);
        let mut signing = Command::new("osslsigncode");
        signing.args(["sign", "-h", "sha256", "-certs"]).arg(&chain);
        signing.arg("-key").arg(self.pki.key("leaf"));
        signing.args(["-ts", &format!("{}/tsa", self.web.address())]);
        signing.arg("-in").arg(&bare).arg("-out").arg(&signed);
        run(&mut removing);
        run(&mut signing);
        self.web.asked();
    }

    /// Publishes the lists of these authorities.
    fn lists(&self, authorities: &[&str]) {
        for name in authorities {
            let list = self.pki.list(name, "", &[]);
            self.web.put(&format!("/{name}.crl"), Page::Bytes(list));
        }
    }

    fn verify(&self, arguments: &str) -> Ran {
        self.world
            .sh(&format!("verify --online-private {arguments}"))
    }

    fn document(&self, demand: &str) -> Value {
        let ran = self.verify(&format!("--online={demand} --format json"));
        serde_json::from_str(&ran.stdout).expect("JSON")
    }
}

/// Why revocation fails the only artifact, and what was asked of its signer.
fn found(document: &Value) -> (Option<&str>, &Value) {
    let report = ["result", "report"].map(|name| &document[name]);
    let report = report.into_iter().find(|it| it.is_object());
    let artifact = &report.expect("a report")["artifacts"][0];
    let checks = artifact["checks"].as_array().expect("checks");
    let mut failed = checks
        .iter()
        .filter(|it| it["id"] == "x509.revocation" && it["outcome"] == "fail");
    let reason = failed.next().and_then(|it| it["reason"].as_str());
    let signer = &artifact["signature"]["signatures"][0]["signer"];
    (reason, &signer["revocation"])
}

#[test]
fn a_release_whose_certificates_were_not_revoked_passes_and_nobody_is_asked_offline() {
    let Some(signed) = Signed::new() else { return };
    signed
        .world
        .sh("verify --explain atlas.exe")
        .expect(0)
        .says("no network is asked");
    assert_eq!(signed.web.asked(), [""; 0]);
    let _responder = signed.pki.responder(signed.port, "responder");
    signed
        .verify("--online --explain atlas.exe")
        .expect(0)
        .says("asked by OCSP and revocation lists")
        .says(&format!(
            "OCSP at http://127.0.0.1:{}/ca: good, as of",
            signed.port
        ))
        .says(&format!(
            "CRL at {}/root.crl: good, as of",
            signed.web.address()
        ))
        .says(&format!(
            "CRL at {}/tsa-ca.crl: good, as of",
            signed.web.address()
        ));
    // The list of the root is about two authorities, and asked for once; that of the signer's not at all.
    let mut asked = signed.web.asked();
    asked.sort_unstable();
    assert_eq!(asked, ["/root.crl", "/tsa-ca.crl"]);
    let document = signed.document("required");
    let (failed, asked) = found(&document);
    assert_eq!(failed, None, "{document}");
    assert_eq!(
        (&asked[0]["status"], &asked[0]["asked"][0]["by"]),
        (&"good".into(), &"OCSP".into())
    );
    let inspected = signed
        .world
        .sh("inspect --online --online-private --trust root.pem dist/atlas.exe");
    inspected
        .expect(0)
        .says("good: CN=Snake Oil leaf")
        .says("good: CN=Snake Oil tsa");
    // Whose addresses are not of the public web is not asked, but where that was said.
    let ran = signed
        .world
        .sh("verify --online")
        .expect(1)
        .says("x509.revocation")
        .says("see `--online-private`");
    drop(ran);
    assert_eq!(
        signed.web.asked().len(),
        4,
        "two by `verify`, two by `inspect`"
    );
}

#[test]
fn what_was_revoked_before_it_signed_fails_and_after_does_not() {
    let Some(signed) = Signed::new() else { return };
    for (days, code) in [(-1, 1), (1, 0)] {
        let revoked = format!("{},keyCompromise", in_days(days));
        signed.pki.index("ca", &[("leaf", &revoked)]);
        signed.lists(&["ca"]);
        let by_list = signed.verify("--online=best-effort").expect(code);
        let _responder = signed.pki.responder(signed.port, "responder");
        let by_responder = signed.verify("--online=best-effort").expect(code);
        if code == 1 {
            by_list.says("x509.revocation").says("key compromise");
            by_responder.says("`Snake Oil leaf` was revoked");
        }
        let publish = signed
            .world
            .sh("publish --online --online-private --run one")
            .expect(code);
        drop(publish);
    }
    // Nor does an allowance let it through.
    signed
        .pki
        .index("ca", &[("leaf", &format!("{},superseded", in_days(-1)))]);
    signed.lists(&["ca"]);
    let sha256 =
        release::Sha256::of(&fs::read(signed.world.path("dist/atlas.exe")).expect("bytes"));
    let config = fs::read_to_string(signed.world.path("lastmile.yml")).expect("text");
    let config = config.replace(
        "  roots:",
        &format!("  allow-unsigned: [{{ path: \"dist/*.exe\", reason: theirs, until: 2099-01-01, sha256: {sha256} }}]\n  roots:"),
    );
    signed.world.write("lastmile.yml", config.as_bytes());
    signed
        .verify("--online")
        .expect(1)
        .says("INVALID atlas.exe")
        .says("superseded");
    // A timestamp authority in doubt takes its timestamps along, whenever they were made.
    signed.pki.index("ca", &[]);
    signed.pki.index(
        "tsa-ca",
        &[("tsa", &format!("{},keyCompromise", in_days(1)))],
    );
    signed.lists(&["ca", "tsa-ca"]);
    signed
        .verify("--online")
        .expect(1)
        .says("`Snake Oil tsa` was revoked");
    signed
        .pki
        .index("tsa-ca", &[("tsa", &format!("{},superseded", in_days(1)))]);
    signed.lists(&["tsa-ca"]);
    signed.verify("--online").expect(0);
}

#[test]
fn who_gives_no_answer_that_counts_fails_a_release_that_needs_one() {
    let Some(signed) = Signed::new() else { return };
    let list = signed.pki.list("ca", "", &[]);
    let there = format!("{}/moved.crl", signed.web.address());
    signed.web.put("/moved.crl", Page::Bytes(list.clone()));
    signed.web.put(
        "/loop.crl",
        Page::Redirect(format!("{}/loop.crl", signed.web.address())),
    );
    let stale = signed.pki.list(
        "ca",
        "",
        &[
            "-crl_lastupdate",
            "20260101000000Z",
            "-crl_nextupdate",
            "20260102000000Z",
        ],
    );
    for (page, why) in [
        (Page::Bytes(list.clone()), ""),
        (Page::Redirect(there), ""),
        (
            Page::Redirect("/loop.crl".to_owned()),
            "redirects too often",
        ),
        (
            Page::Redirect("file:///etc/passwd".to_owned()),
            "status 302",
        ),
        (Page::Status(404), "status 404"),
        (Page::Status(500), "status 500"),
        (Page::Bytes(stale), "is stale"),
        (
            Page::Bytes(signed.pki.list("other", "", &[])),
            "expected `Snake Oil ca`",
        ),
        (
            Page::Bytes(list[..list.len() / 2].to_vec()),
            "cannot be read",
        ),
        (
            Page::Bytes(vec![0; 32 * 1024 * 1024 + 1]),
            "more than 33554432 bytes",
        ),
        (Page::Silence, "no whole answer within 1 s"),
    ] {
        signed.web.put("/ca.crl", page);
        let began = Instant::now();
        let required = signed.verify("--online-timeout 1 --online=required");
        let best_effort = signed
            .verify("--online-timeout 1 --online=best-effort")
            .expect(0);
        assert!(began.elapsed() < Duration::from_secs(30), "{why}");
        if why.is_empty() {
            required.expect(0);
            continue;
        }
        let ca = format!("{}/ca.crl", signed.web.address());
        let refused = format!("OCSP at http://127.0.0.1:{}/ca", signed.port);
        required
            .expect(1)
            .says("x509.revocation")
            .says(why)
            .says(&ca)
            .says(&refused)
            .says("--online=best-effort");
        best_effort
            .says("not checked for revocation: 1 certificates")
            .says(why);
    }
    // A responder that its authority did not make one.
    let _responder = signed.pki.responder(signed.port, "no-usage");
    signed
        .verify("--online-timeout 1 --online")
        .expect(1)
        .says("does not include OCSP signing");
    let document = signed.document("best-effort --online-timeout 1");
    let (failed, asked) = found(&document);
    assert_eq!(
        (failed, &asked[0]["status"]),
        (None, &"not-checked".into()),
        "{asked}"
    );
}

#[test]
fn a_certificate_that_its_responder_does_not_know_fails() {
    let Some(signed) = Signed::new() else { return };
    signed.pki.index("ca", &[("leaf", "-")]);
    let _responder = signed.pki.responder(signed.port, "ca");
    signed
        .verify("--online=best-effort")
        .expect(1)
        .says("does not know `Snake Oil leaf`");
}

/// An installer package of the shared corpus without its ticket, that ticket, and the name that Apple's service has for it.
fn package() -> Option<(Vec<u8>, Vec<u8>, String)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/pkg");
    let file = corpus.join("Karabiner-DriverKit-VirtualHIDDevice-3.2.0.pkg");
    if !judge::has_path(
        &file,
        "it is part of the shared corpus of signed files, which is optional",
    ) {
        return None;
    }
    let bytes = fs::read(file).expect("a sample");
    let mut windows = bytes.windows(8);
    let end = windows
        .position(|it| it == b"t8lr\x01\0\x01\0")
        .expect("a trailer");
    let length = u64::from_be_bytes(*bytes[8..].first_chunk().expect("there"));
    let table = &bytes[28..28 + usize::try_from(length).expect("small")];
    let name = format!("2/1/{}", testkit::web::sha1_hex(table));
    Some((
        bytes[..end].to_vec(),
        bytes[end + 16..bytes.len() - 16].to_vec(),
        name,
    ))
}

/// Everybody but the ticket service is behind a proxy that lets nobody through: no test asks the world.
#[test]
fn apple_is_asked_for_what_is_not_stapled() {
    let Some((bare, ticket, name)) = package() else {
        return;
    };
    let (world, web) = (world(), Web::start());
    world.write("dist/atlas.pkg", &bare);
    let config = "app: atlas\nstore: file:./store\npublic-url: /dl\nversion: \"1.4.0\"\n\
        artifacts:\n  - { path: \"dist/*.pkg\", platform: macos-universal, kind: pkg }\n\
        signing:\n  macos: { apple: { team-id: G43BCU2T37 } }\n\
        feeds: [manifest]\nchannels:\n  stable: {}\n";
    world.write("lastmile.yml", config.as_bytes());
    let service = format!("{}/lookup", web.address());
    let verify = |more: &str| {
        let words = format!("verify --ticket-service {service} {more}");
        let words: Vec<_> = words.split_whitespace().collect();
        let variables = [
            ("http_proxy", web.address()),
            ("https_proxy", web.address()),
            ("no_proxy", "127.0.0.1"),
        ];
        world.run_with(&words, &variables)
    };
    verify("").expect(1).says("apple.notarized");
    assert_eq!(web.asked(), [""; 0]);
    let has = Page::Tickets(BTreeMap::from([(name, ticket)]));
    web.put("/lookup", has);
    verify("--online=best-effort --explain atlas.pkg")
        .expect(0)
        .says("ticket.online")
        .says("Apple's ticket service has a ticket of ")
        .says("not checked for revocation");
    verify("--online").expect(1).says("x509.revocation");
    web.put("/lookup", Page::Tickets(BTreeMap::new()));
    verify("--online=best-effort")
        .expect(1)
        .says("apple.notarized")
        .says("Apple's ticket service has no ticket for it");
}
