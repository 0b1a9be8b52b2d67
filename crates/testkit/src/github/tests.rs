//! Tests at the HTTP boundary, with a client of forty lines that sends exactly what it is told to.

mod assets;
mod commits;
mod contract;
mod faults;
mod git;
mod releases;
mod statuses;

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::GitHub;
use crate::git::Git;

/// An answer.
struct Got {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Got {
    fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}: {text}", self.status))
    }

    #[track_caller]
    fn expect(self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        if self.body.is_empty() {
            return Value::Null;
        }
        self.json()
    }
}

/// Sends a request as it is. None where the connection ended without an answer.
async fn send(url: &str, method: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Got> {
    let (host, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .expect("a URL");
    let mut head = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    stream
        .write_all(format!("{head}\r\n").as_bytes())
        .await
        .ok()?;
    stream.write_all(body).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some(Got {
        status,
        headers: headers.collect(),
        body: answer[end + 4..].to_vec(),
    })
}

impl GitHub {
    /// Sends JSON, or nothing for null, to a place of the repository, with a token that may write.
    async fn ask(&self, method: &str, place: &str, body: Value) -> Got {
        self.try_ask(&self.token, method, place, body)
            .await
            .expect("an answer")
    }

    async fn try_ask(&self, token: &str, method: &str, place: &str, body: Value) -> Option<Got> {
        let url = format!("{}/repos/{}{place}", self.api_url(), self.repository());
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let length = body.len().to_string();
        let authorization = format!("Bearer {token}");
        let mut headers = vec![
            ("user-agent", "tests"),
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", "2022-11-28"),
        ];
        if !token.is_empty() {
            headers.push(("authorization", &authorization));
        }
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
            headers.push(("content-length", &length));
        }
        send(&url, method, &headers, body.as_bytes()).await
    }

    async fn get(&self, place: &str) -> Got {
        self.ask("GET", place, Value::Null).await
    }

    async fn post(&self, place: &str, body: Value) -> Got {
        self.ask("POST", place, body).await
    }

    /// Makes a release, and gives its number.
    async fn release(&self, body: Value) -> u64 {
        let made = self.post("/releases", body).await.expect(201);
        made["id"].as_u64().expect("a number")
    }

    async fn try_upload(&self, id: u64, query: &str, bytes: &[u8]) -> Option<Got> {
        let release = self.get(&format!("/releases/{id}")).await.expect(200);
        let url = release["upload_url"].as_str().expect("a URL");
        let url = url.replace("{?name,label}", &format!("?{query}"));
        let authorization = format!("token {}", self.token);
        let length = bytes.len().to_string();
        let headers = [
            ("user-agent", "tests"),
            ("authorization", authorization.as_str()),
            ("content-type", "application/zip"),
            ("content-length", &length),
        ];
        send(&url, "POST", &headers, bytes).await
    }

    async fn upload(&self, id: u64, name: &str, bytes: &[u8]) -> Got {
        let upload = self.try_upload(id, &format!("name={name}"), bytes).await;
        upload.expect("an answer")
    }
}

/// A GitHub with a repository of three commits on `main`, the first of which has the tag `v1.0.0`. None without git.
async fn atlas() -> Option<(GitHub, Git, tempfile::TempDir)> {
    let folder = tempfile::tempdir().expect("a folder");
    let git = Git::init(folder.path())?;
    git.commit("first\n");
    git.tag("v1.0.0");
    git.commit("second\n");
    git.commit("third\n");
    let github = GitHub::start().await;
    github.push(&git);
    Some((github, git, folder))
}
