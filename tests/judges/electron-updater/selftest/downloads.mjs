// What a client accepts as the package that the feed named, whole and by differences.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { deflateRawSync, gzipSync } from "node:zlib";
import { EVERY_OS, ask, brief, downloader } from "./ask.mjs";
import { startSite } from "./site.mjs";

const NAMES = { win32: "Atlas-Setup-1.4.0-x64.exe", darwin: "Atlas-1.4.0-x64.zip", linux: "Atlas-1.4.0.AppImage" };
const MISMATCH = "error ERR_CHECKSUM_MISMATCH";

test("a wrong hash, other bytes, and no hash are refused", async (t) => {
  const tampered = Object.values(NAMES).map((name) => [`/release/atlas/releases/1.4.0/${name}`, `${name} of 1.4.1\n`]);
  const site = await startSite({ files: Object.fromEntries(tampered) });
  t.after(site.close);
  const clients = [...EVERY_OS.map((os) => downloader(os)), downloader("linux", { package: "deb" })];
  const refusals = await ask(site.base("wrong-hash"), clients);
  assert.deepEqual(refusals.map(brief), Array(4).fill(MISMATCH));
  assert.match(refusals[0].error.message, /^sha512 checksum mismatch, expected A+==, got /);
  assert.deepEqual(refusals.map(({ version }) => version), Array(4).fill("1.4.0"));
  const others = await ask(site.base("release"), clients.slice(0, 3));
  assert.deepEqual(others.map(brief), Array(3).fill(MISMATCH));
  const bare = await ask(site.base("no-hash"), clients.slice(0, 1));
  assert.deepEqual(bare.map(brief), ["error ERR_UPDATER_NO_CHECKSUM"]);
});

test("a missing package fails, a redirected one does not", async (t) => {
  const feed = (url) => `version: 1.4.0\nfiles: [{url: "${url}", sha512: "${sha512("moved")}", size: 5}]\n`;
  const site = await startSite({
    feeds: {
      lost: feed("../../lost.exe"),
      moved: feed("../../moved.exe"),
    },
    files: {
      "/moved/atlas/moved.exe": { status: 302, headers: { location: "/moved/atlas/target.exe" } },
      "/moved/atlas/target.exe": "moved",
    },
  });
  t.after(site.close);
  const [lost] = await ask(site.base("lost"), [downloader("win32")]);
  assert.match(lost.error.message, /^Cannot download .*, status 404/);
  const [moved] = await ask(site.base("moved"), [downloader("win32")]);
  assert.deepEqual(moved.downloaded, { path: "pending/moved.exe", size: 5, sha512: sha512("moved") });
});

test("a wrong size breaks macOS alone where the whole file is fetched", async (t) => {
  const site = await startSite();
  t.after(site.close);
  const answers = await ask(site.base("wrong-size"), EVERY_OS.map((os) => downloader(os)));
  // On macOS the size becomes the length that the updater promises Squirrel; what Squirrel then says is its own.
  assert.deepEqual(answers.map(({ event }) => event), ["update-available", "error", "update-available"]);
});

test("with the previous package only the differences travel", async (t) => {
  const versions = { "1.3.0": blocks(1), "1.4.0": blocks(2) };
  const files = {};
  const seeds = await mkdtemp(path.join(os.tmpdir(), "judge-selftest-"));
  for (const [version, parts] of Object.entries(versions)) {
    const release = `/delta/atlas/releases/${version}`;
    const whole = Buffer.concat(parts);
    for (const name of [`Atlas-${version}.exe`, `Atlas-${version}.zip`]) {
      files[`${release}/${name}`] = whole;
      files[`${release}/${name}.blockmap`] = gzipSync(blockmap(parts));
    }
    files[`${release}/Atlas-${version}.AppImage`] = withEmbeddedMap(parts).bytes;
  }
  await writeFile(path.join(seeds, "whole"), Buffer.concat(versions["1.3.0"]));
  await writeFile(path.join(seeds, "AppImage"), withEmbeddedMap(versions["1.3.0"]).bytes);
  const entry = (name, bytes, rest = {}) => {
    return { url: `../../releases/1.4.0/${name}`, sha512: sha512(bytes), size: bytes.length, ...rest };
  };
  const whole = Buffer.concat(versions["1.4.0"]);
  const image = withEmbeddedMap(versions["1.4.0"]);
  const feed = JSON.stringify({
    version: "1.4.0",
    files: [
      entry("Atlas-1.4.0.exe", whole),
      entry("Atlas-1.4.0.zip", whole),
      entry("Atlas-1.4.0.AppImage", image.bytes, { blockMapSize: image.mapSize }),
    ],
  });
  const site = await startSite({ files, feeds: { delta: feed } });
  t.after(() => Promise.all([site.close(), rm(seeds, { recursive: true })]));
  const seed = (os) => path.join(seeds, os === "linux" ? "AppImage" : "whole");
  const clients = EVERY_OS.map((os) => downloader(os, { seed: seed(os) }));

  const answers = await ask(site.base("delta"), clients);
  const taken = ["exe", "zip", "AppImage"].map((kind) => `update-available Atlas-1.4.0.${kind}`);
  assert.deepEqual(answers.map(brief), taken);
  for (const { received } of answers) assert.ok(received < whole.length / 20, `${received} of ${whole.length} bytes`);
  assert.deepEqual(
    answers[0].requests.map((line) => line.replace("GET /delta/atlas/releases/", "")),
    [
      "GET /delta/atlas/feeds/electron-updater/latest.yml",
      "1.4.0/Atlas-1.4.0.exe.blockmap",
      "1.3.0/Atlas-1.3.0.exe.blockmap",
      "1.4.0/Atlas-1.4.0.exe",
    ],
  );

  await t.test("a blockmap of other bytes is an error when the previous package was given", async () => {
    files["/delta/atlas/releases/1.3.0/Atlas-1.3.0.exe.blockmap"] = gzipSync(blockmap(blocks(2)));
    assert.deepEqual((await ask(site.base("delta"), clients.slice(0, 1))).map(brief), [MISMATCH]);
  });
});

function sha512(bytes) {
  return createHash("sha512").update(bytes).digest("base64");
}

/** 64 blocks of 16 KiB; the two editions differ in block 20. */
function blocks(edition) {
  const fill = (index) => `block ${index} ${index === 20 ? edition : ""}|`;
  return Array.from({ length: 64 }, (_, index) => Buffer.alloc(16 * 1024, fill(index)));
}

function blockmap(parts) {
  const checksums = parts.map((part) => createHash("sha512").update(part).digest("base64").slice(0, 24));
  const sizes = parts.map((part) => part.length);
  return JSON.stringify({ version: "2", files: [{ name: "file", offset: 0, checksums, sizes }] });
}

/** An AppImage carries its map at its end: raw deflate, then the length in four bytes. */
function withEmbeddedMap(parts) {
  const map = deflateRawSync(blockmap(parts));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(map.length);
  return { bytes: Buffer.concat([...parts, map, length]), mapSize: map.length };
}
