#!/usr/bin/env python3
"""Cuts the operations that we use out of GitHub's official OpenAPI description.

    python3 extract.py path/to/api.github.com.json > github.json

The source is the file `generated/api.github.com.json` of the npm package `@octokit/openapi`, version 23.0.2, licence MIT.
It is OpenAPI 3.0.3, which is not JSON Schema; what comes out is JSON Schema where schemas stand:

- `nullable` becomes a union with `null`;
- parameters and responses stand in place, so that `components` holds schemas alone;
- what no check reads (descriptions, examples, titles, notes, webhooks) is left out.

Departs from the source in one point: the state of a release asset may also be `starter`. GitHub sends it for an upload
that broke off, and the description does not know it.
"""

import json
import sys

SOURCE = {
    "package": "@octokit/openapi",
    "version": "23.0.2",
    "file": "generated/api.github.com.json",
    "licence": "MIT",
    "departures": "the state of a release asset may also be `starter`, which GitHub sends for an upload that broke off",
}

OPERATIONS = {
    "actions/create-workflow-dispatch",
    "git/create-ref",
    "git/create-tag",
    "git/get-commit",
    "git/get-ref",
    "git/get-tag",
    "git/list-matching-refs",
    "git/update-ref",
    "rate-limit/get",
    "repos/check-immutable-releases",
    "repos/compare-commits-with-basehead",
    "repos/create-commit-status",
    "repos/create-release",
    "repos/delete-release",
    "repos/delete-release-asset",
    "repos/generate-release-notes",
    "repos/get",
    "repos/get-commit",
    "repos/get-latest-release",
    "repos/get-release",
    "repos/get-release-asset",
    "repos/get-release-by-tag",
    "repos/list-commit-statuses-for-ref",
    "repos/list-commits",
    "repos/list-release-assets",
    "repos/list-releases",
    "repos/list-tags",
    "repos/update-release",
    "repos/upload-release-asset",
}

# Schemas that answers outside of the documented ones are held against.
EXTRA_SCHEMAS = ["basic-error"]

# What a check reads of a schema. Everything else is prose.
KEYWORDS = {
    "$ref", "additionalProperties", "allOf", "anyOf", "enum", "format", "items", "maxItems", "maxLength", "maxProperties",
    "maximum", "minItems", "minLength", "minimum", "not", "oneOf", "pattern", "properties", "required", "type",
    "uniqueItems",
}


def schema(source):
    """One schema of OpenAPI 3.0 as JSON Schema."""
    if not isinstance(source, dict):
        return source
    made = {}
    for key, value in source.items():
        if key not in KEYWORDS:
            continue
        if key == "properties":
            value = {name: schema(inner) for name, inner in value.items()}
        elif key in ("allOf", "anyOf", "oneOf"):
            value = [schema(inner) for inner in value]
        elif key in ("items", "not", "additionalProperties"):
            value = schema(value)
        made[key] = value
    if not source.get("nullable"):
        return made
    if isinstance(made.get("type"), str) and not {"allOf", "anyOf", "oneOf", "$ref"} & made.keys():
        made["type"] = [made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = made["enum"] + [None]
        return made
    return {"anyOf": [made, {"type": "null"}]}


def main(path):
    with open(path, encoding="utf-8") as file:
        description = json.load(file)

    def resolved(value):
        while "$ref" in value:
            target = description
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            value = target
        return value

    def content(value):
        return {kind: {"schema": schema(inner.get("schema", {}))} for kind, inner in value.items()}

    def parameter(value):
        value = resolved(value)
        kept = {"name": value["name"], "in": value["in"], "schema": schema(value.get("schema", {}))}
        if value.get("required"):
            kept["required"] = True
        # A value with slashes in it.
        if value.get("x-multi-segment"):
            kept["x-multi-segment"] = True
        return kept

    def operation(value):
        kept = {"operationId": value["operationId"]}
        kept["parameters"] = [parameter(inner) for inner in value.get("parameters", [])]
        body = resolved(value.get("requestBody", {}))
        if body:
            kept["requestBody"] = {"required": body.get("required", False), "content": content(body["content"])}
        if "servers" in value:
            kept["servers"] = [{"url": server["url"]} for server in value["servers"]]
        answers = {status: resolved(answer) for status, answer in value["responses"].items()}
        kept["responses"] = {status: {"content": content(answer.get("content", {}))} for status, answer in answers.items()}
        return kept

    paths = {}
    for path, methods in description["paths"].items():
        for method, value in methods.items():
            if isinstance(value, dict) and value.get("operationId") in OPERATIONS:
                paths.setdefault(path, {})[method] = operation(value)
    found = {value["operationId"] for methods in paths.values() for value in methods.values()}
    if found != OPERATIONS:
        sys.exit(f"not in the description: {sorted(OPERATIONS - found)}")

    schemas = {}
    open_names = list(EXTRA_SCHEMAS)

    def follow(value):
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str):
                open_names.append(reference.removeprefix("#/components/schemas/"))
            for inner in value.values():
                follow(inner)
        elif isinstance(value, list):
            for inner in value:
                follow(inner)

    follow(paths)
    while open_names:
        name = open_names.pop()
        if name not in schemas:
            schemas[name] = schema(description["components"]["schemas"][name])
            follow(schemas[name])
    state = schemas["release-asset"]["properties"]["state"]
    assert state["enum"] == ["uploaded", "open"], "the source has changed; is the departure still one?"
    state["enum"] = state["enum"] + ["starter"]

    write(paths, schemas)


def write(paths, schemas):
    """One line for each path and each schema, so that a new version reads well as a difference."""

    def line(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def lines(values):
        return ",\n".join(f"{line(name)}:{line(values[name])}" for name in sorted(values))

    print(f'{{"x-source":{line(SOURCE)},')
    print(f'"openapi":"3.0.3",\n"paths":{{\n{lines(paths)}\n}},')
    print(f'"components":{{"schemas":{{\n{lines(schemas)}\n}}}}}}')


if __name__ == "__main__":
    main(sys.argv[1])
