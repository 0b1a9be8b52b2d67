// Runs the driver as its callers do: a process, a question on stdin, an answer on stdout, and nothing left behind.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const DRIVER = fileURLToPath(new URL("../driver.mjs", import.meta.url));

export const EVERY_OS = ["win32", "darwin", "linux"];

/** A client of version 1.3.0 on x64 that only checks. */
export const client = (os, rest = {}) => ({ os, arch: "x64", current: "1.3.0", id: null, channel: null, ...rest });
/** The same, downloading. */
export const downloader = (os, rest = {}) => client(os, { download: true, ...rest });

export async function ask(base, clients) {
  const { code, stdout, stderr } = await drive(JSON.stringify({ base, clients }));
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

export async function drive(input) {
  const temporary = await mkdtemp(path.join(os.tmpdir(), "judge-selftest-"));
  try {
    const child = spawn(process.execPath, [DRIVER], { env: { ...process.env, TMPDIR: temporary } });
    child.stdin.end(input);
    const closed = new Promise((resolve) => child.on("close", resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    assert.deepEqual(await readdir(temporary), [], "the driver leaves nothing in the temporary directory");
    return { code, stdout, stderr };
  } finally {
    await rm(temporary, { recursive: true });
  }
}

/** One line for each answer, for comparing many at once: the event, and the file or the error's code. */
export function brief({ event, downloaded, error }) {
  if (error !== null) return `${event} ${error.code}`;
  return downloaded === null ? event : `${event} ${downloaded.path.replace("pending/", "")}`;
}
