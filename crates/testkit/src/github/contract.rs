//! GitHub's official description, as a judge: which operation a request is, and whether request and answer are as described.
//!
//! The description is `contract/github.json`, cut by `contract/extract.py`. Departs from it in two points: an upload may have
//! any content type (the prose of the operation says so), and a body's keys must be among the described ones, so that a
//! misspelt key is found, which GitHub would pass over.

mod checker;
mod request;
mod route;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::answer::{Answer, Body};
pub(crate) use checker::Checker;
pub(crate) use request::{Asked, header};
use route::Template;

/// Where an operation is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Api,
    Uploads,
}

/// One operation of the description.
pub(crate) struct Operation {
    /// `repos/get-release` and so on.
    pub(crate) id: &'static str,
    host: Host,
    method: String,
    template: Template,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    answers: BTreeMap<u16, Option<Checker>>,
    media: Vec<String>,
}

struct Parameter {
    name: String,
    in_query: bool,
    required: bool,
    kind: String,
    checker: Checker,
}

struct RequestBody {
    required: bool,
    /// None where the body is bytes.
    json: Option<Checker>,
}

/// All of it, read once.
pub(crate) struct Contract {
    operations: Vec<Operation>,
    basic_error: Checker,
}

impl Contract {
    pub(crate) fn github() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| {
            let text = include_str!("../../contract/github.json");
            let description: Value = serde_json::from_str(text).expect("JSON");
            Self::read(&description)
        })
    }

    fn read(description: &Value) -> Self {
        let schemas = description["components"]["schemas"]
            .as_object()
            .expect("schemas");
        let mut operations = Vec::new();
        for (path, methods) in description["paths"].as_object().expect("paths") {
            for (method, described) in methods.as_object().expect("methods") {
                operations.push(Operation::read(path, method, described, schemas));
            }
        }
        // `releases/latest` before `releases/{release_id}`.
        operations.sort_by_key(|operation| std::cmp::Reverse(operation.template.literals()));
        let basic_error = serde_json::json!({"$ref": "#/components/schemas/basic-error"});
        Self {
            operations,
            basic_error: Checker::of(basic_error, schemas),
        }
    }

    /// The operation of this request, and the parameters in its path, decoded.
    pub(crate) fn route(
        &self,
        host: Host,
        method: &str,
        path: &str,
    ) -> Option<(&Operation, BTreeMap<String, String>)> {
        self.operations
            .iter()
            .filter(|operation| operation.host == host && operation.method == method)
            .find_map(|operation| Some((operation, operation.template.matches(path)?)))
    }

    /// What is wrong with an answer of an operation.
    pub(crate) fn check_answer(&self, operation: &Operation, answer: &Answer) -> Vec<String> {
        let json = match &answer.body {
            Body::Json(value) => Some(value),
            Body::Empty | Body::Bytes(..) => None,
        };
        let (checker, documented) = match operation.answers.get(&answer.status) {
            Some(checker) => (checker.as_ref(), true),
            // What every operation may answer stands in the guides, not with the operation.
            None if answer.status >= 400 => (Some(&self.basic_error), true),
            None => (None, answer.status == 304),
        };
        let mut wrong = match (checker, json) {
            (Some(checker), Some(json)) => checker.errors(json),
            (Some(_), None) => vec!["no JSON body".to_owned()],
            (None, _) => Vec::new(),
        };
        if !documented {
            wrong.push("a status that is not documented".to_owned());
        }
        if let (501, Some(json)) = (answer.status, json) {
            wrong.push(json["message"].to_string());
        }
        if matches!(answer.status, 204 | 304) && !matches!(answer.body, Body::Empty) {
            wrong.push("a body where none may be".to_owned());
        }
        wrong
            .iter()
            .map(|wrong| format!("{} answers {}: {wrong}", operation.id, answer.status))
            .collect()
    }
}

impl Operation {
    fn read(path: &str, method: &str, described: &Value, schemas: &Map<String, Value>) -> Self {
        let id = described["operationId"].as_str().expect("an id").to_owned();
        let parameters = described["parameters"].as_array().expect("parameters");
        let answers = described["responses"].as_object().expect("responses");
        let media = answers
            .values()
            .filter_map(|answer| answer["content"].as_object())
            .flat_map(|content| content.keys().cloned())
            .collect();
        let answers = answers.iter().map(|(status, answer)| {
            let schema = answer["content"]["application/json"].get("schema");
            let checker = schema.map(|schema| Checker::of(schema.clone(), schemas));
            (status.parse().expect("a status"), checker)
        });
        Self {
            // One description lives as long as the process.
            id: Box::leak(id.into_boxed_str()),
            host: if described.get("servers").is_some() {
                Host::Uploads
            } else {
                Host::Api
            },
            method: method.to_uppercase(),
            template: Template::read(path, parameters),
            parameters: parameters
                .iter()
                .map(|parameter| Parameter::read(parameter, schemas))
                .collect(),
            body: described
                .get("requestBody")
                .map(|body| RequestBody::read(body, schemas)),
            answers: answers.collect(),
            media,
        }
    }
}

impl Parameter {
    fn read(described: &Value, schemas: &Map<String, Value>) -> Self {
        Self {
            name: described["name"].as_str().expect("a name").to_owned(),
            in_query: described["in"] == "query",
            required: described["required"] == true,
            kind: described["schema"]["type"]
                .as_str()
                .unwrap_or("any")
                .to_owned(),
            checker: Checker::of(described["schema"].clone(), schemas),
        }
    }
}

impl RequestBody {
    fn read(described: &Value, schemas: &Map<String, Value>) -> Self {
        let json = described["content"]["application/json"].get("schema");
        Self {
            required: described["required"] == true,
            json: json.map(|schema| Checker::of(checker::closed(schema.clone()), schemas)),
        }
    }
}
