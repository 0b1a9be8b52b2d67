//! A schema and its validator, which is compiled when it is first needed.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// A schema with the components that it needs, and nothing else.
pub(crate) struct Checker {
    schema: Value,
    compiled: OnceLock<Validator>,
}

impl Checker {
    pub(crate) fn of(schema: Value, schemas: &Map<String, Value>) -> Self {
        let mut needed = Map::new();
        follow(&schema, schemas, &mut needed);
        let mut schema = schema;
        if !needed.is_empty() {
            // Beside a `$ref` nothing counts, so the reference goes one step down.
            schema = json!({"allOf": [schema], "components": {"schemas": needed}});
        }
        Self {
            schema,
            compiled: OnceLock::new(),
        }
    }

    /// What is wrong with a value, each with its place.
    pub(crate) fn errors(&self, value: &Value) -> Vec<String> {
        let validator = self.compiled.get_or_init(|| {
            jsonschema::draft7::options()
                .should_validate_formats(true)
                .build(&self.schema)
                .expect("a schema")
        });
        validator
            .iter_errors(value)
            .map(|error| format!("`{}`: {error}", error.instance_path()))
            .collect()
    }
}

fn follow(value: &Value, schemas: &Map<String, Value>, needed: &mut Map<String, Value>) {
    match value {
        Value::Object(object) => {
            let name = object
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| reference.strip_prefix("#/components/schemas/"));
            if let Some(name) = name
                && !needed.contains_key(name)
            {
                let schema = schemas.get(name).expect("a schema of that name");
                needed.insert(name.to_owned(), schema.clone());
                follow(schema, schemas, needed);
            }
            for inner in object.values() {
                follow(inner, schemas, needed);
            }
        }
        Value::Array(array) => {
            for inner in array {
                follow(inner, schemas, needed);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A schema that takes no keys but the described ones.
pub(crate) fn closed(mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut()
        && let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut)
    {
        for inner in properties.values_mut() {
            *inner = closed(inner.take());
        }
        object
            .entry("additionalProperties")
            .or_insert(Value::Bool(false));
    }
    schema
}
