// Proves the judge before it judges: `npm test`. Starts its own web site on the loopback; needs nothing else.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import "./selftest/answers.mjs";
import { client, drive } from "./selftest/ask.mjs";
import "./selftest/downloads.mjs";
import "./selftest/files.mjs";

test("a question with a mistake is refused and says where", async () => {
  const base = "http://127.0.0.1:1/feeds";
  const mistakes = [
    ["{", /JSON/],
    [{ base: "feeds", clients: [] }, /`base`: expected a URL, found "feeds"/],
    [{ base, clients: {} }, /`clients`: expected an array/],
    [{ base, clients: [client("win32", { id: "not-a-uuid" })] }, /`clients\[0\]\.id`: found "not-a-uuid"/],
    [{ base, clients: [client("win32"), client("amiga")] }, /`clients\[1\]\.os`: found "amiga", expected one of win32/],
    [{ base, clients: [client("win32", { allowdowngrade: true })] }, /`clients\[0\]\.allowdowngrade`: no such field/],
  ];
  for (const [question, complaint] of mistakes) {
    const { code, stdout, stderr } = await drive(typeof question === "string" ? question : JSON.stringify(question));
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, complaint);
  }
});

test("the lock file pins both packages and names no place to fetch them from", () => {
  const { packages } = JSON.parse(readFileSync(new URL("package-lock.json", import.meta.url), "utf8"));
  assert.equal(packages["node_modules/electron-updater"].version, "6.8.10");
  assert.equal(packages["node_modules/builder-util-runtime"].version, "9.7.0");
  const dependencies = Object.entries(packages).filter(([name]) => name !== "");
  for (const [name, { resolved, integrity }] of dependencies) {
    assert.equal(resolved, undefined, name);
    assert.match(integrity, /^sha512-/, name);
  }
});
