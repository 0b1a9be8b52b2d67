//! A snake-oil PKI that `openssl` makes and answers for: authorities with revocation lists, and certificates that say where
//! those are. Its keys live as long as the test. Included by path in tests of crates that do not depend on this one, so it
//! uses nothing of it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use tempfile::TempDir;

/// What `openssl ca` has to be told.
const CONFIG: &str = "[req]\ndistinguished_name = name\n[name]\n\
    [ca]\ndefault_ca = it\n[it]\ndatabase = index.txt\ndefault_md = sha256\ncrl_extensions = list\n";

/// What a certificate is.
#[derive(Clone, Copy)]
pub struct Issued<'a> {
    /// What its files are called.
    pub name: &'a str,
    /// What its common name ends with.
    pub subject: &'a str,
    /// Who issues it; itself where this is its own name.
    pub issuer: &'a str,
    /// Its serial number.
    pub serial: u32,
    /// Its extensions, a line each.
    pub extensions: &'a str,
}

/// A running responder.
pub struct Responder {
    child: Child,
    /// Open for as long as it talks.
    _said: BufReader<ChildStderr>,
}

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A PKI in a folder of its own. Who has `ca` issues others.
pub struct Pki {
    folder: TempDir,
}

impl Pki {
    /// `root` issues `ca` and `tsa-ca`; those issue `leaf` and `tsa`, and who may and may not answer for `ca`: `responder`,
    /// `no-usage`, `no-mark`. `other` issues `stranger`. The certificates name lists and responders below
    /// these places: `lists/ca.crl`, `responders/ca`.
    pub fn new(lists: &str, responders: &str) -> Self {
        let pki = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let authority =
            "basicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign\n";
        let listed = |by: &str| format!("crlDistributionPoints = URI:{lists}/{by}.crl\n");
        let asked = |by: &str| {
            format!(
                "authorityInfoAccess = OCSP;URI:{responders}/{by}\n{}",
                listed(by)
            )
        };
        let below_root = format!("{authority}{}", listed("root"));
        let end = "keyUsage = critical,digitalSignature\n";
        let signer = format!("{end}extendedKeyUsage = codeSigning\n{}", asked("ca"));
        let stamper = format!(
            "{end}extendedKeyUsage = critical,timeStamping\n{}",
            listed("tsa-ca")
        );
        let responder = format!("{end}extendedKeyUsage = OCSPSigning\nnoCheck = ignored\n");
        let no_usage = format!("{end}extendedKeyUsage = codeSigning\nnoCheck = ignored\n");
        let no_mark = format!("{end}extendedKeyUsage = OCSPSigning\n");
        let all = [
            ("root", "root", authority),
            ("other", "other", authority),
            ("ca", "root", &below_root),
            ("tsa-ca", "root", &below_root),
            ("leaf", "ca", &signer),
            ("tsa", "tsa-ca", &stamper),
            ("responder", "ca", &responder),
            ("no-usage", "ca", &no_usage),
            ("no-mark", "ca", &no_mark),
            ("stranger", "other", &responder),
        ];
        for (serial, (name, issuer, extensions)) in (0x1000..).zip(all) {
            pki.issue(Issued {
                name,
                subject: name,
                issuer,
                serial,
                extensions,
            });
        }
        for name in ["root", "other", "ca", "tsa-ca"] {
            pki.index(name, &[]);
        }
        pki
    }

    /// Issues one more.
    pub fn issue(&self, issued: Issued<'_>) {
        let Issued {
            name,
            subject,
            issuer,
            serial,
            extensions,
        } = issued;
        let (key, pem) = (self.key(name), self.pem(name));
        let (request, extension_file) = (
            self.path(&format!("{name}.csr")),
            self.path(&format!("{name}.ext")),
        );
        fs::write(&extension_file, extensions).expect("extensions");
        let config = self.path("openssl.cnf");
        fs::write(&config, CONFIG).expect("a configuration");
        let subject = format!("/O=Snake Oil Ltd/CN=Snake Oil {subject}");
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        self.must(&[
            "req",
            "-new",
            "-config",
            &shown(&config),
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            &subject,
            "-keyout",
            &shown(&key),
            "-out",
            &shown(&request),
        ]);
        let (above, above_key) = (shown(&self.pem(issuer)), shown(&self.key(issuer)));
        let serial = serial.to_string();
        let mut arguments = vec![
            "x509",
            "-req",
            "-sha256",
            "-days",
            "3650",
            "-set_serial",
            &serial,
        ];
        let (request, pem, extension_file) = (shown(&request), shown(&pem), shown(&extension_file));
        arguments.extend(["-in", &request, "-out", &pem, "-extfile", &extension_file]);
        if issuer == name {
            arguments.extend(["-signkey", &above_key]);
        } else {
            arguments.extend(["-CA", &above, "-CAkey", &above_key]);
        }
        self.must(&arguments);
    }

    /// A file of it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The certificate of this name.
    pub fn pem(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.pem"))
    }

    /// Its key.
    pub fn key(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.key"))
    }

    /// Its bytes.
    pub fn der(&self, name: &str) -> Vec<u8> {
        let file = self.pem(name);
        self.must(&["x509", "-in", &file.to_string_lossy(), "-outform", "DER"])
            .stdout
    }

    /// Says what an authority knows, as `openssl ca` keeps it: who was issued by it, and of some that they were revoked:
    /// `260101000000Z,superseded`. `keyTime,20250101000000Z` as the reason is a compromise since then. `-` is one that it
    /// never heard of.
    pub fn index(&self, authority: &str, revoked: &[(&str, &str)]) {
        let issued: &[&str] = match authority {
            "root" => &["ca", "tsa-ca"],
            "ca" => &["leaf", "responder", "no-usage", "no-mark"],
            "tsa-ca" => &["tsa"],
            _ => &["stranger"],
        };
        let lines: String = issued
            .iter()
            .filter(|name| !revoked.contains(&(name, "-")))
            .map(|name| {
                let shown = self.must(&[
                    "x509",
                    "-in",
                    &self.pem(name).to_string_lossy(),
                    "-noout",
                    "-serial",
                ]);
                let serial = String::from_utf8(shown.stdout).expect("text");
                let serial = serial.trim().trim_start_matches("serial=");
                let found = revoked.iter().find(|(it, _)| it == name);
                let (status, since) = found.map_or(("V", ""), |(_, since)| ("R", *since));
                format!("{status}\t360101000000Z\t{since}\t{serial}\tunknown\t/CN={name}\n")
            })
            .collect();
        fs::write(self.path(&format!("{authority}.index")), lines).expect("an index");
        fs::write(
            self.path(&format!("{authority}.index.attr")),
            "unique_subject = no\n",
        )
        .expect("its attributes");
    }

    /// The revocation list of an authority in DER, with these extensions, a line each, and these flags of `openssl ca`.
    pub fn list(&self, authority: &str, extensions: &str, flags: &[&str]) -> Vec<u8> {
        let config = self.path("list.cnf");
        let text = CONFIG.replace(
            "index.txt",
            &self.path(&format!("{authority}.index")).to_string_lossy(),
        );
        let (first, behind) = extensions.split_once("\n[").unwrap_or((extensions, ""));
        let behind = if behind.is_empty() {
            String::new()
        } else {
            format!("[{behind}\n")
        };
        fs::write(&config, format!("{text}[list]\n{first}\n{behind}")).expect("a configuration");
        let (pem, key) = (self.pem(authority), self.key(authority));
        let file = self.path(&format!("{authority}.crl.pem"));
        let (config, pem, key, file) = (
            config.to_string_lossy(),
            pem.to_string_lossy(),
            key.to_string_lossy(),
            file.to_string_lossy(),
        );
        let mut arguments = vec![
            "ca", "-config", &config, "-gencrl", "-cert", &pem, "-keyfile", &key, "-out", &file,
        ];
        match flags {
            [] => arguments.extend(["-crldays", "7"]),
            flags => arguments.extend(flags),
        }
        self.must(&arguments);
        self.must(&["crl", "-in", &file, "-outform", "DER"]).stdout
    }

    /// Answers an OCSP request as `ca`, by the key of this name.
    pub fn respond(&self, request: &[u8], by: &str, flags: &[&str]) -> Vec<u8> {
        let (asked, answered) = (self.path("request.der"), self.path("response.der"));
        fs::write(&asked, request).expect("a request");
        let mut command = Command::new("openssl");
        command.arg("ocsp").arg("-index").arg(self.path("ca.index"));
        command.arg("-CA").arg(self.pem("ca"));
        command
            .arg("-rsigner")
            .arg(self.pem(by))
            .arg("-rkey")
            .arg(self.key(by));
        command
            .arg("-reqin")
            .arg(&asked)
            .arg("-respout")
            .arg(&answered)
            .args(flags);
        let ran = command.output().expect("openssl is there");
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        fs::read(&answered).expect("a response")
    }

    /// Answers the query of somebody who signs, as `tsa` (RFC 3161).
    pub fn timestamp(&self, query: &[u8]) -> Vec<u8> {
        let (asked, answered) = (self.path("query.der"), self.path("reply.der"));
        fs::write(&asked, query).expect("a query");
        fs::write(self.path("tsa.serial"), "01").expect("a number");
        let config = "[tsa]\nserial = tsa.serial\ndefault_policy = 1.2.3.4\ndigests = sha256\nsigner_digest = sha256\n\
            ess_cert_id_alg = sha256\n";
        fs::write(self.path("tsa.cnf"), config).expect("a configuration");
        self.must(&[
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-section",
            "tsa",
            "-queryfile",
            "query.der",
            "-signer",
            "tsa.pem",
            "-inkey",
            "tsa.key",
            "-chain",
            "tsa-ca.pem",
            "-out",
            "reply.der",
        ]);
        fs::read(answered).expect("a reply")
    }

    /// Starts `openssl ocsp` as the responder of `ca` at a port of this machine; it ends when dropped.
    pub fn responder(&self, port: u16, by: &str) -> Responder {
        let mut command = Command::new("openssl");
        command.arg("ocsp").arg("-port").arg(port.to_string());
        command
            .args(["-ndays", "1", "-index"])
            .arg(self.path("ca.index"));
        command.arg("-CA").arg(self.pem("ca"));
        command
            .arg("-rsigner")
            .arg(self.pem(by))
            .arg("-rkey")
            .arg(self.key(by));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("openssl is there");
        // Whoever connects to see whether it is there, and asks nothing, makes it hang.
        let mut said = BufReader::new(child.stderr.take().expect("its words"));
        let mut line = String::new();
        while !line.contains("waiting for OCSP client connections") {
            line.clear();
            let read = said.read_line(&mut line).expect("text");
            assert!(read > 0, "the responder ended");
        }
        Responder { child, _said: said }
    }

    /// Runs `openssl`.
    pub fn openssl(&self, arguments: &[&str]) -> Output {
        let ran = Command::new("openssl")
            .args(arguments)
            .current_dir(self.folder.path())
            .output();
        ran.expect("openssl is there")
    }

    fn must(&self, arguments: &[&str]) -> Output {
        let ran = self.openssl(arguments);
        assert!(
            ran.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        ran
    }
}
