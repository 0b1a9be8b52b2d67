//! Asking the world for `signing`: revocation lists, OCSP responders, Apple's ticket service.
//!
//! Whom to ask stands in certificates, so what they say is taken as hostile: plain HTTP and HTTPS alone, their own ports,
//! no address inside the network of this machine, few redirects, and every answer bounded in bytes and time. HTTP is what
//! authorities use, as their answers are signed. Nothing is judged here.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use release::name::{chain, printable};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use signing::revocation::{self, Demand, Question};
use tokio::runtime::Handle;

use crate::error::Error;

/// Where Apple's ticket service is (the container that `stapler` and Gatekeeper ask).
pub const TICKET_SERVICE: &str = "https://api.apple-cloudkit.com/database/1/com.apple.gk.ticket-delivery/production/public/records/lookup";
/// Who asks.
const AGENT: &str = concat!("lastmile/", env!("CARGO_PKG_VERSION"));

/// What is done at most.
struct Limits;

impl Limits {
    const CONNECT: Duration = Duration::from_secs(5);
    const REDIRECTS: usize = 3;
    /// How often a question is asked again that got no answer, and after which pause.
    const AGAIN: u32 = 1;
    const PAUSE: Duration = Duration::from_millis(500);
    /// Requests of a run, and how long it may ask in all. A large release has some hundred certificates.
    const REQUESTS: u32 = 2_000;
    const TOTAL: Duration = Duration::from_secs(300);
    /// Bytes of lists that are kept, as many certificates are in the same one.
    const KEPT_BYTES: usize = 32 * 1024 * 1024;
}

/// How the world is asked.
#[derive(Debug, Clone)]
pub struct Online {
    /// How much an answer matters.
    pub demand: Demand,
    /// Whom certificates may send us to.
    pub networks: Networks,
    /// How long one request may take, with its answer.
    pub timeout: Duration,
    /// Where Apple's tickets are asked for.
    pub ticket_service: String,
}

/// Whom certificates may send us to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Networks {
    /// Addresses and ports of the public web alone: a certificate cannot make a runner ask its neighbours.
    Public,
    /// Any, for authorities inside one's own network. Whoever has a certificate by a trusted root can make this machine send
    /// requests to others in that network, and sees nothing of the answers.
    Any,
}

/// Opens the way to the world. It is to be asked on a thread that may block, of this runtime.
pub(crate) fn open(online: &Online) -> Result<revocation::Online, Error> {
    let fetcher = Fetcher::open(online)?;
    let ask = move |question: Question<'_>| fetcher.ask(question);
    Ok(revocation::Online::new(online.demand, Arc::new(ask)))
}

type Answered = Result<Arc<Vec<u8>>, String>;

struct Fetcher {
    client: Client,
    runtime: Handle,
    networks: Networks,
    timeout: Duration,
    ticket_service: Url,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    requests: u32,
    lists: HashMap<String, Arc<OnceLock<Answered>>>,
    lists_bytes: usize,
    /// Hosts that could not be reached, and why: five hundred certificates need not find that out.
    unreachable: HashMap<String, String>,
}

impl Fetcher {
    fn open(online: &Online) -> Result<Self, Error> {
        let networks = online.networks;
        let wrong = |why: String| Error::Missing {
            what: "online",
            next: why,
        };
        let follow = Policy::custom(move |attempt| {
            let place = allowed(attempt.url(), networks);
            match place {
                _ if attempt.previous().len() > Limits::REDIRECTS => {
                    attempt.error("it redirects too often")
                }
                Ok(()) => attempt.follow(),
                Err(why) => {
                    attempt.error(format!("it redirects to a place that is not asked: {why}"))
                }
            }
        });
        let client = Client::builder()
            .user_agent(AGENT)
            .redirect(follow)
            .referer(false)
            .connect_timeout(Limits::CONNECT.min(online.timeout))
            .timeout(online.timeout)
            .dns_resolver(Arc::new(Resolver {
                networks,
                proxies: proxies(),
            }))
            .build()
            .map_err(|error| wrong(chain(&error)))?;
        let service = &online.ticket_service;
        let ticket_service = Url::parse(service)
            .map_err(|error| wrong(format!("`{}`: {error}", printable(service))))?;
        Ok(Self {
            client,
            runtime: Handle::current(),
            networks,
            timeout: online.timeout,
            ticket_service,
            began: Instant::now(),
            state: Mutex::default(),
        })
    }

    fn ask(&self, question: Question<'_>) -> Answered {
        let Question::Crl { url } = question else {
            return self.fetch(question);
        };
        let mut state = self.state();
        let list = state.lists.entry(url.to_owned()).or_default().clone();
        drop(state);
        let mut is_new = false;
        let answered = list.get_or_init(|| {
            is_new = true;
            self.fetch(question)
        });
        if let (true, Ok(list)) = (is_new, answered) {
            let mut state = self.state();
            state.lists_bytes += list.len();
            if state.lists_bytes > Limits::KEPT_BYTES {
                state.lists.clear();
                state.lists_bytes = 0;
            }
        }
        answered.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fetch(&self, question: Question<'_>) -> Answered {
        let url = match question {
            Question::Crl { url } | Question::Ocsp { url, .. } => {
                let url = Url::parse(url).map_err(|error| format!("it is no URL: {error}"))?;
                allowed(&url, self.networks)?;
                url
            }
            Question::Ticket { .. } => self.ticket_service.clone(),
        };
        let host = url.origin().ascii_serialization();
        let request = match question {
            Question::Crl { .. } => self.client.get(url),
            Question::Ocsp { request, .. } => self
                .client
                .post(url)
                .header(CONTENT_TYPE, "application/ocsp-request")
                .header(ACCEPT, "application/ocsp-response")
                .body(request.to_vec()),
            Question::Ticket { request } => self
                .client
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .header(ACCEPT, "application/json")
                .body(request.to_vec()),
        };
        for left in (0..=Limits::AGAIN).rev() {
            self.begin(&host)?;
            let most = question.answer_bytes_max();
            let again = request
                .try_clone()
                .ok_or("the request cannot be made again")?;
            let failed = match self.runtime.block_on(self.once(again, most)) {
                Ok(body) => return Ok(Arc::new(body)),
                Err(failed) => failed,
            };
            match failed {
                Failed::Answered(why) => return Err(why),
                Failed::Unreachable(why) if left == 0 => {
                    self.state().unreachable.insert(host, why.clone());
                    return Err(why);
                }
                Failed::Late(why) => {
                    self.state().unreachable.insert(host, why.clone());
                    return Err(why);
                }
                Failed::Busy(why) if left == 0 => return Err(why),
                Failed::Unreachable(_) | Failed::Busy(_) => std::thread::sleep(Limits::PAUSE),
            }
        }
        Err("it was not asked".to_owned())
    }

    /// Whether one more request may be made.
    fn begin(&self, host: &str) -> Result<(), String> {
        let mut state = self.state();
        if let Some(why) = state.unreachable.get(host) {
            return Err(format!("{why} (not asked again)"));
        }
        if state.requests >= Limits::REQUESTS || self.began.elapsed() > Limits::TOTAL {
            return Err(format!(
                "not asked, as this run made {} requests in {} s already",
                state.requests,
                self.began.elapsed().as_secs()
            ));
        }
        state.requests += 1;
        Ok(())
    }

    async fn once(&self, request: RequestBuilder, bytes_max: usize) -> Result<Vec<u8>, Failed> {
        let failed = |error: reqwest::Error| self.failed(error);
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(Failed::Busy(format!("status {}", status.as_u16())));
        }
        if !status.is_success() {
            return Err(Failed::Answered(format!("status {}", status.as_u16())));
        }
        let too_long = || Failed::Answered(format!("the answer has more than {bytes_max} bytes"));
        let stated = response
            .content_length()
            .and_then(|it| usize::try_from(it).ok());
        if stated.is_some_and(|stated| stated > bytes_max) {
            return Err(too_long());
        }
        // As long as is stated: a list that grows by doubling would take twice its room.
        let mut body = Vec::with_capacity(stated.unwrap_or_default());
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > bytes_max {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn failed(&self, error: reqwest::Error) -> Failed {
        let error = error.without_url();
        if error.is_timeout() && !error.is_connect() {
            let seconds = self.timeout.as_secs();
            return Failed::Late(format!("no whole answer within {seconds} s"));
        }
        let why = chain(&error);
        match (error.is_redirect(), error.is_connect()) {
            (true, _) => Failed::Answered(why),
            (false, true) => Failed::Unreachable(why),
            (false, false) => Failed::Busy(why),
        }
    }
}

/// Why there is no answer.
enum Failed {
    /// There is one, and it is none.
    Answered(String),
    /// Perhaps there is one in a moment.
    Busy(String),
    Unreachable(String),
    Late(String),
}

/// Whether a place may be asked, as far as its URL tells.
fn allowed(url: &Url, networks: Networks) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "`{}` is neither HTTP nor HTTPS",
            printable(url.scheme())
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("its URL names a user".to_owned());
    }
    if networks == Networks::Any {
        return Ok(());
    }
    // The standard port of the scheme is none here.
    if let Some(port) = url.port() {
        return Err(format!("port {port} is not asked; see `--online-private`"));
    }
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err(not_public(address)),
        _ => Ok(()),
    }
}

fn not_public(address: IpAddr) -> String {
    format!("{address} is no address of the public web; see `--online-private`")
}

/// Looks hosts up, and gives their public addresses alone. Proxies are the machine's own choice.
struct Resolver {
    networks: Networks,
    proxies: Vec<String>,
}

#[derive(Debug)]
struct NotPublic(String);

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotPublic {}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let is_any = self.networks == Networks::Any
            || self
                .proxies
                .iter()
                .any(|proxy| proxy.eq_ignore_ascii_case(&host));
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let (good, bad): (Vec<SocketAddr>, Vec<SocketAddr>) =
                found.partition(|address| is_any || is_public(address.ip()));
            match (good.is_empty(), bad.first()) {
                (true, Some(bad)) => Err(NotPublic(not_public(bad.ip())).into()),
                _ => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}

/// The hosts of the proxies that this machine names for all its programs.
fn proxies() -> Vec<String> {
    let names = [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ];
    let urls = names
        .into_iter()
        .filter_map(|name| std::env::var(name).ok());
    let urls = urls.filter_map(|text| match text.contains("://") {
        true => Url::parse(&text).ok(),
        false => Url::parse(&format!("http://{text}")).ok(),
    });
    urls.filter_map(|url| url.host_str().map(str::to_owned))
        .collect()
}

/// Whether an address is of the public web (IANA's registries of special-purpose addresses).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let [h1, h2] = high.to_be_bytes();
    let [l1, l2] = low.to_be_bytes();
    let embedded = Ipv4Addr::new(h1, h2, l1, l2);
    match (a, b) {
        // Translated by the network (RFC 6052).
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => is_public_v4(embedded),
        // 2001::/23 is special, Teredo among it; 2001:db8::/32 documentation; 2002::/16 is 6to4.
        (0x2001, 0..=0x01ff | 0x0db8) | (0x2002, _) => false,
        (0x2000..=0x3ffe, _) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
