//! The way to GitHub: octocrab for what has a small body, `reqwest` beneath it and for what has a large one.

use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt as _, Limited};
use octocrab::Octocrab;
use release::name::chain;
use reqwest::header::{ACCEPT, LINK, USER_AGENT};
use reqwest::redirect::Policy;

use crate::call::{Answer, Call, Trouble, trouble};
use crate::error::GitHubError;
use crate::place::Place;
use crate::retry::{Limits, Tries};

/// Who asks (docs.github.com, "Getting started with the REST API": a user agent is required).
const AGENT: &str = concat!("lastmile/", env!("CARGO_PKG_VERSION"));
pub(crate) const JSON: &str = "application/vnd.github+json";

#[derive(Debug)]
pub(crate) struct Client {
    octocrab: Octocrab,
    /// For uploads: the same connections, without octocrab's layers.
    pub(crate) http: reqwest::Client,
    pub(crate) place: Place,
    pub(crate) limits: Limits,
}

impl Client {
    pub(crate) fn open(place: Place) -> Result<Self, GitHubError> {
        let failed = |error: &(dyn std::error::Error + 'static)| GitHubError::Client(chain(error));
        let http = reqwest::Client::builder()
            // Redirects are octocrab's to follow, which leaves the token behind where they lead elsewhere.
            .redirect(Policy::none())
            .connect_timeout(
                place
                    .attempt_timeout
                    .min(std::time::Duration::from_secs(10)),
            )
            .user_agent(AGENT)
            .build()
            .map_err(|error| failed(&error))?;
        let mut builder = Octocrab::builder()
            .base_uri(place.api.as_str())
            .map_err(|error| failed(&error))?
            .add_header(USER_AGENT, AGENT.to_owned());
        if let Some(token) = &place.token {
            builder = builder.personal_token(token.reveal().to_owned());
        }
        let octocrab = builder.build_with_reqwest(http.clone());
        Ok(Self {
            octocrab: octocrab.map_err(|error| failed(&error))?,
            http,
            place,
            limits: Limits::default(),
        })
    }

    pub(crate) fn tries(&self) -> Tries {
        Tries::new(self.limits)
    }

    /// Makes a request that may be made again: it changes nothing, or changes the same thing to the same.
    pub(crate) async fn repeatable(&self, call: &Call) -> Result<Answer, GitHubError> {
        let mut tries = self.tries();
        loop {
            let (why, wait) = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::NotDone { why, wait }) => (why, wait),
                Err(Trouble::Unknown { why }) => (why, None),
            };
            tries.pause(call, &self.place.repository, why, wait).await?;
        }
    }

    /// As [`repeatable`](Self::repeatable), where "it is not there" is an answer too.
    pub(crate) async fn find(&self, call: &Call) -> Result<Option<Answer>, GitHubError> {
        match self.repeatable(call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(GitHubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every page of a list, each parsed by `page`. The path ends with its query or has none.
    pub(crate) async fn pages<T: serde::de::DeserializeOwned>(
        &self,
        call: &Call,
        what: &'static str,
        mut page: impl FnMut(T),
    ) -> Result<(), GitHubError> {
        let separator = if call.path.contains('?') { '&' } else { '?' };
        for number in 1..=self.limits.pages_max {
            let one = Call {
                path: format!("{}{separator}per_page=100&page={number}", call.path),
                ..call.clone()
            };
            let answer = self.repeatable(&one).await?;
            page(answer.json(call, &self.place.repository)?);
            if !answer.has_next {
                return Ok(());
            }
        }
        Err(GitHubError::TooMany {
            doing: call.doing.clone(),
            repository: self.place.repository.to_string(),
            what,
            max: self.limits.pages_max * 100,
        })
    }

    pub(crate) fn unreadable(&self, call: &Call, why: String) -> GitHubError {
        GitHubError::Unreadable {
            doing: call.doing.clone(),
            repository: self.place.repository.to_string(),
            why,
        }
    }

    /// Makes a request once.
    pub(crate) async fn once(&self, call: &Call) -> Result<Answer, Trouble> {
        let builder = http::request::Builder::new()
            .method(call.method.clone())
            .uri(&call.path)
            .header(ACCEPT, JSON);
        let request = self
            .octocrab
            .build_request(builder, call.body.as_ref())
            .map_err(|error| Trouble::Final(GitHubError::Client(chain(&error))))?;
        let exchange = async {
            let response = self.octocrab.execute(request).await.map_err(unanswered)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, self.limits.body_bytes_max)
                .collect()
                .await;
            // The answer began, so whatever it was about may be done.
            let body = body.map_err(|error| {
                let why = chain(error.as_ref());
                if error.is::<http_body_util::LengthLimitError>() {
                    // Asking again gives the same answer.
                    let max = self.limits.body_bytes_max;
                    let why = format!("it is longer than {max} bytes, which is more than is read");
                    return Trouble::Final(self.unreadable(call, why));
                }
                Trouble::Unknown { why }
            })?;
            Ok((parts, body.to_bytes().to_vec()))
        };
        let limit = self.place.attempt_timeout;
        let Ok(exchanged) = tokio::time::timeout(limit, exchange).await else {
            let why = format!("no answer within {}s", limit.as_secs());
            return Err(Trouble::Unknown { why });
        };
        let (parts, body) = exchanged?;
        if parts.status.is_success() {
            // Half a document can come of a connection that ended well; what it was about may be done.
            if !body.is_empty() && serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_err() {
                let why = "GitHub's answer is no whole document".to_owned();
                return Err(Trouble::Unknown { why });
            }
            let has_next = parts
                .headers
                .get(LINK)
                .and_then(|link| link.to_str().ok())
                .is_some_and(|link| link.contains("rel=\"next\""));
            return Ok(Answer { body, has_next });
        }
        let repository = &self.place.repository;
        let (status, headers) = (parts.status, &parts.headers);
        Err(trouble(
            call,
            repository,
            status,
            headers,
            &body,
            now_unix(),
        ))
    }
}

/// A connection that never came to be carried nothing.
fn unanswered(error: octocrab::Error) -> Trouble {
    let why = chain(&error);
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if error
            .downcast_ref::<reqwest::Error>()
            .is_some_and(reqwest::Error::is_connect)
        {
            return Trouble::NotDone { why, wait: None };
        }
        cause = error.source();
    }
    Trouble::Unknown { why }
}

pub(crate) fn now_unix() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
