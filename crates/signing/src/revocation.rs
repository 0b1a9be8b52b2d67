//! Whether certificates were taken back since they were issued: asked by OCSP (RFC 6960), and by revocation lists (RFC 5280
//! section 5) where that gives no answer.
//!
//! This crate has no network: whoever calls it says how to ask ([`Online`]), and every answer is judged here as the hostile
//! bytes that it is. Only certificates of paths that are good are asked about, so no file chooses whom to ask: authorities
//! do. What was taken back only after a timestamp says that the signature was there keeps its signatures; see [`Made`].

mod answer;
mod crl;
mod ocsp;
mod places;
mod report;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use release::Timestamp;
use release::name::printable;

use crate::checks::{Check, X509_REVOCATION};
use crate::digest::DigestAlgorithm;
use crate::path::Path;
use crate::x509::Certificate;

use answer::{Answer, Asked, Revoked, Status};
use places::Places;

pub use report::{AskedReport, RevocationReport, RevocationStatus};

/// How much an answer matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// What nobody answers for is reported as not checked, and is no failure.
    BestEffort,
    /// What nobody answers for is a failure.
    Required,
}

/// Something to ask the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question<'a> {
    /// GET a revocation list.
    Crl {
        /// Where an authority says that it is; as the certificate has it, so check it before you follow it.
        url: &'a str,
    },
    /// POST to an OCSP responder, as `application/ocsp-request`.
    Ocsp {
        /// Where an authority says that it is.
        url: &'a str,
        /// The request in DER.
        request: &'a [u8],
    },
    /// POST to Apple's ticket service, as `application/json`.
    Ticket {
        /// The request in JSON.
        request: &'a [u8],
    },
}

impl Question<'_> {
    /// The longest answer that is read, in bytes. The largest lists of real authorities have some MB.
    pub fn answer_bytes_max(&self) -> usize {
        match self {
            Self::Crl { .. } => crl::BYTES_MAX,
            Self::Ocsp { .. } => ocsp::BYTES_MAX,
            Self::Ticket { .. } => crate::ticket::ANSWER_BYTES_MAX,
        }
    }
}

/// Asks, and gives the body of the answer, or why there is none.
pub type Ask = dyn Fn(Question<'_>) -> Result<Arc<Vec<u8>>, String> + Send + Sync;

/// What is known of a certificate, as soon as it is.
type Cell = Arc<OnceLock<Known>>;

/// An answer, and what reports show of it: the same for each of thousands of programs.
struct Known {
    answer: Answer,
    report: Arc<RevocationReport>,
}

/// The world, as far as it is asked. Each certificate is looked up once.
#[derive(Clone)]
pub struct Online {
    demand: Demand,
    ask: Arc<Ask>,
    known: Arc<Mutex<HashMap<Vec<u8>, Cell>>>,
    /// Whether Apple is asked for tickets: not of code in a bundle or package, whose own ticket lists it.
    asks_for_tickets: bool,
}

impl fmt::Debug for Online {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { demand, .. } = self;
        write!(f, "Online({demand:?})")
    }
}

/// When what a path vouches for was made, as far as somebody else vouches for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// A signature without a timestamp that prolongs it: it ends with its certificates.
    Unknown,
    /// A signature that was there by then, says a trusted timestamp. It outlives what was taken back from a later date on
    /// (CA/Browser Forum, code signing requirements, section 4.9.1; Microsoft, "Time Stamping Authenticode Signatures").
    By(Timestamp),
    /// A timestamp that says so itself. It outlives only what was taken back for a stated reason that is no doubt in its key
    /// (RFC 3161 section 4).
    Itself(Timestamp),
}

impl Made {
    fn outlives(self, revoked: &Revoked) -> bool {
        match self {
            Self::Unknown => false,
            Self::By(time) => time < revoked.since(),
            Self::Itself(time) => time < revoked.since() && revoked.is_harmless(),
        }
    }
}

impl Online {
    /// Asks as is said.
    pub fn new(demand: Demand, ask: Arc<Ask>) -> Self {
        Self {
            demand,
            ask,
            known: Arc::default(),
            asks_for_tickets: true,
        }
    }

    /// The same, but Apple is not asked for tickets.
    #[must_use]
    pub(crate) fn without_tickets(&self) -> Self {
        Self {
            asks_for_tickets: false,
            ..self.clone()
        }
    }

    pub(crate) fn asks_for_tickets(&self) -> bool {
        self.asks_for_tickets
    }

    pub(crate) fn is_required(&self) -> bool {
        self.demand == Demand::Required
    }

    /// What reports say of revocation as a whole.
    pub(crate) fn said(&self) -> &'static str {
        match self.demand {
            Demand::BestEffort => {
                "asked by OCSP and revocation lists; what nobody answered for is not checked (best effort)"
            }
            Demand::Required => {
                "asked by OCSP and revocation lists; what nobody answers for fails (required)"
            }
        }
    }

    pub(crate) fn ask(&self, question: Question<'_>) -> Result<Arc<Vec<u8>>, String> {
        let answered = (self.ask)(question)?;
        if answered.len() > question.answer_bytes_max() {
            let most = question.answer_bytes_max();
            return Err(format!("the answer has more than {most} bytes"));
        }
        Ok(answered)
    }

    /// Judges every certificate of a path but the anchor. None where nothing was found wrong, and not everything was found.
    pub(crate) fn judge(&self, path: &Path<'_>, made: Made, now: Timestamp) -> Option<Check> {
        let (mut good, mut kept, mut unanswered) = (0_usize, Vec::new(), Vec::new());
        for (certificate, issuer) in pairs(path) {
            let answer = self.look_up(certificate, issuer, now, |known| known.answer.clone());
            match &answer.status {
                Status::Good => good += 1,
                Status::Revoked(revoked) if made.outlives(revoked) => {
                    kept.push(format!(
                        "{certificate} was revoked ({revoked}), after what it vouches for was made"
                    ));
                }
                Status::Revoked(revoked) => {
                    let reason = why_revoked(certificate, revoked, made);
                    return Some(Check::fail(X509_REVOCATION, reason));
                }
                Status::Unknown => {
                    let reason = format!(
                        "the OCSP responder of its authority does not know {certificate}: {}",
                        answer.told()
                    );
                    return Some(Check::fail(X509_REVOCATION, reason));
                }
                Status::NotChecked => {
                    unanswered.push(format!("{certificate}: {}", answer.told()));
                }
            }
        }
        match (unanswered.is_empty(), self.demand) {
            (true, _) => {
                let mut reason = format!("{good} certificates are not revoked, as they were asked");
                for kept in kept {
                    reason.push_str("; ");
                    reason.push_str(&kept);
                }
                Some(Check::pass(X509_REVOCATION, reason))
            }
            (false, Demand::BestEffort) => None,
            (false, Demand::Required) => {
                let reason = format!(
                    "nobody answered for {}; let this machine reach it, or verify with `--online=best-effort`",
                    unanswered.join("; ")
                );
                Some(Check::fail(X509_REVOCATION, reason))
            }
        }
    }

    /// What was asked about each certificate of a path, and answered.
    pub(crate) fn reports(&self, path: &Path<'_>, now: Timestamp) -> Vec<Arc<RevocationReport>> {
        let pairs = pairs(path);
        pairs
            .map(|(below, above)| self.look_up(below, above, now, |known| known.report.clone()))
            .collect()
    }

    /// Gives what is known of a certificate. Whoever asks first asks for all.
    fn look_up<T>(
        &self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
        now: Timestamp,
        give: impl FnOnce(&Known) -> T,
    ) -> T {
        let time = now.unix().to_be_bytes();
        let key = DigestAlgorithm::Sha256.hash(&[certificate.raw, issuer.raw, &time]);
        // Not held while asking: others ask about other certificates meanwhile.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = known.entry(key).or_default().clone();
        drop(known);
        give(cell.get_or_init(|| {
            let answer = self.find_out(certificate, issuer, now);
            let report = Arc::new(RevocationReport::of(certificate, &answer));
            Known { answer, report }
        }))
    }

    fn find_out(
        &self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
        now: Timestamp,
    ) -> Answer {
        let places = match Places::of(certificate) {
            Ok(places) => places,
            Err(error) => {
                let why = format!("where to ask cannot be read in the certificate: {error}");
                return Answer::none(why);
            }
        };
        if places.ocsp.is_empty() && places.crl.is_empty() {
            return Answer::none("the certificate names no place to ask".to_owned());
        }
        let about = answer::About {
            certificate,
            issuer,
            now,
        };
        let request = ocsp::request(&about);
        let by_ocsp = places.ocsp.iter().map(|url| {
            let question = Question::Ocsp {
                url,
                request: &request,
            };
            (question, *url, "OCSP")
        });
        let by_list = places.crl.iter();
        let by_list = by_list.map(|url| (Question::Crl { url }, *url, "CRL"));
        let mut answer = Answer::default();
        for (question, url, by) in by_ocsp.chain(by_list) {
            let said = self.ask(question).and_then(|bytes| {
                let judged = match question {
                    Question::Ocsp { .. } => ocsp::judge(&bytes, &about),
                    _ => crl::judge(&bytes, &about, &places),
                };
                judged.map_err(|error| error.to_string())
            });
            answer.asked.push(Asked {
                by,
                url: printable(url),
                told: match &said {
                    Ok(found) => found.to_string(),
                    Err(why) => why.clone(),
                },
            });
            if let Ok(found) = said {
                answer.status = found.status;
                break;
            }
        }
        answer
    }
}

/// Reads bytes as each answer that there may be, for whoever throws spoilt ones at the readers. Nothing comes of it.
pub fn throw(bytes: &[u8]) {
    drop(crl::throw(bytes));
    drop(ocsp::throw(bytes));
    crate::ticket::throw(bytes);
    if let Ok(certificate) = Certificate::parse(bytes) {
        drop(Places::of(&certificate));
    }
}

/// Each certificate with the one that issued it.
fn pairs<'p, 'a>(
    path: &'p Path<'a>,
) -> impl Iterator<Item = (&'p Certificate<'a>, &'p Certificate<'a>)> {
    let anchor = &path.anchor.certificate;
    let above = path.certificates.iter().copied().skip(1).chain([anchor]);
    let pairs = path.certificates.iter().copied().zip(above);
    // Where the signer is the anchor itself, nobody stands above it who could take it back.
    pairs.filter(|(below, above)| below.raw != above.raw)
}

fn why_revoked(certificate: &Certificate<'_>, revoked: &Revoked, made: Made) -> String {
    let why = match made {
        Made::Unknown => "no timestamp says that the signature was made before".to_owned(),
        Made::By(time) => format!("the signature is of {time}, which is not before"),
        Made::Itself(time) if time < revoked.since() => {
            "its key is in doubt, and with it the time that it stated".to_owned()
        }
        Made::Itself(time) => format!("the timestamp is of {time}, which is not before"),
    };
    format!("{certificate} was revoked ({revoked}), and {why}")
}

#[cfg(test)]
mod tests;
