// One installed app: its identity and cache on disk, the real updater class for its platform, one check, and the download
// if asked for. It installs nothing and starts nothing.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
require("./electron.cjs");
const { AppImageUpdater, DebUpdater, MacUpdater, NsisUpdater, PacmanUpdater, RpmUpdater } = require("electron-updater");
const { ElectronHttpExecutor } = require("electron-updater/out/electronHttpExecutor");

const CACHE_NAME = "atlas-updater";
const TIMEOUT_MS = 30_000;
const LINUX = { appimage: AppImageUpdater, deb: DebUpdater, rpm: RpmUpdater, pacman: PacmanUpdater };
// The names under which the updaters keep the package that was installed last.
const SEED_NAMES = { win32: "installer.exe", darwin: "update.zip" };

/** Where the AppImage that is being "run" lies; the updater compares against it and would replace it. */
export function appImagePath(client, home) {
  return client.os === "linux" && client.package === "appimage" ? path.join(home, "Atlas.AppImage") : null;
}

/** Runs one client in the empty directory `home`. What the updater says is the answer; it throws only for a broken set-up. */
export async function run(client, base, home) {
  await install(client, base, home);
  const wire = [];
  const updater = build(client, home, wire);
  const seen = { event: null, info: null, error: null };
  updater.on("update-available", (info) => Object.assign(seen, { event: "update-available", info }));
  updater.on("update-not-available", (info) => Object.assign(seen, { event: "update-not-available", info }));
  // The first error is the cause; what follows it is the same failure seen further out.
  updater.on("error", (error) => (seen.error ??= error));

  let downloaded = null;
  try {
    await within(updater.checkForUpdates());
    if (client.download && seen.event === "update-available") downloaded = await download(updater, client, home);
  } catch (error) {
    seen.error ??= error;
  } finally {
    updater.server?.close();
    updater.server?.closeAllConnections();
  }
  return answer(seen, downloaded, wire);
}

async function install(client, base, home) {
  const cache = path.join(home, "cache", CACHE_NAME);
  await mkdir(path.join(home, "user"), { recursive: true });
  if (client.id !== null) await writeFile(path.join(home, "user", ".updaterId"), client.id);
  const config = {
    provider: "generic",
    url: base,
    updaterCacheDirName: CACHE_NAME,
    useMultipleRangeRequest: client.multipleRanges,
    // In the configuration, not by `autoUpdater.channel`, whose setter also allows downgrades.
    ...(client.channel === null ? {} : { channel: client.channel }),
  };
  await writeFile(path.join(home, "app-update.yml"), JSON.stringify(config));
  const appImage = appImagePath(client, home);
  if (appImage !== null && client.seed === null) await writeFile(appImage, "an AppImage without an embedded blockmap");
  if (client.seed === null) return;
  await mkdir(cache, { recursive: true });
  const target = appImage ?? (SEED_NAMES[client.os] && path.join(cache, SEED_NAMES[client.os]));
  if (target) await copyFile(client.seed, target);
}

function build(client, home, wire) {
  const Updater = { win32: NsisUpdater, darwin: MacUpdater, linux: LINUX[client.package] }[client.os];
  const updater = new Updater(null, {
    version: client.current,
    name: "atlas",
    isPackaged: true,
    userDataPath: path.join(home, "user"),
    baseCachePath: path.join(home, "cache"),
    appUpdateConfigPath: path.join(home, "app-update.yml"),
    whenReady: () => Promise.resolve(),
    quit() {},
    relaunch() {},
    onQuit() {},
  });
  updater.httpExecutor = new ElectronHttpExecutor(null);
  updater.httpExecutor.cachedSession = {
    begin(line) {
      const record = { line, bytes: 0 };
      wire.push(record);
      return record;
    },
  };
  updater._testOnlyOptions = { platform: client.os, isUseDifferentialDownload: true };
  updater.autoDownload = false;
  updater.allowDowngrade = client.allowDowngrade;
  updater.logger = process.env.LASTMILE_JUDGE_LOG ? stderrLogger : null;
  return updater;
}

async function download(updater, client, home) {
  // With the test options a failed differential download is an error. Without a previous package it is bound to fail, and
  // the updater should then do what it does in the field: try, and download the whole file.
  if (client.seed === null) updater._testOnlyOptions = null;
  const native = updater.nativeUpdater;
  const squirrel = native && once(native, "update-downloaded");
  // Its failure is read below or has already arrived as the updater's own error.
  squirrel?.catch(() => {});
  const [file] = await within(updater.downloadUpdate());
  const bytes = await readFile(file);
  const sha512 = createHash("sha512").update(bytes).digest("base64");
  if (squirrel) {
    await within(squirrel);
    if (native.received.sha512 !== sha512) {
      const error = new Error("Squirrel.Mac received other bytes than were downloaded");
      throw Object.assign(error, { code: "JUDGE_SQUIRREL_BYTES" });
    }
  }
  return { path: path.relative(path.join(home, "cache", CACHE_NAME), file), size: bytes.length, sha512 };
}

function answer(seen, downloaded, wire) {
  const { event, info, error } = seen;
  return {
    event: error === null ? event : "error",
    version: info?.version ?? null,
    ...(info?.stagingPercentage === undefined ? {} : { stagingPercentage: info.stagingPercentage }),
    downloaded: error === null ? downloaded : null,
    // The updater's messages carry stack traces; the first line is the message.
    error: error === null ? null : { code: error.code ?? null, message: String(error.message).split("\n")[0] },
    // `noCache` is the clock; without it two runs of the same check are equal.
    requests: wire.map(({ line }) => line.replace(/\?noCache=[0-9a-v]+$/, "")),
    received: wire.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function within(promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    const late = Object.assign(new Error(`no answer within ${TIMEOUT_MS} ms`), { code: "JUDGE_TIMEOUT" });
    timer = setTimeout(() => reject(late), TIMEOUT_MS);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

const log = (...words) => process.stderr.write(`${words.join(" ")}\n`);
const stderrLogger = { info: log, warn: log, error: log, debug: log };
