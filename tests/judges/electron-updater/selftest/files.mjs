// Which file a client takes when several are listed, and which forms of address it follows.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { EVERY_OS, ask, brief, downloader } from "./ask.mjs";
import { packageBytes, startSite } from "./site.mjs";

const require = createRequire(import.meta.url);

const chosen = async (base, clients) =>
  (await ask(base, clients)).map((answer) => brief(answer).replace("update-available ", ""));

test("addresses relative, absolute on the host, and in full work everywhere", async (t) => {
  const site = await startSite();
  t.after(site.close);
  const clients = EVERY_OS.map((os) => downloader(os));
  for (const [example, prefix] of [["release", "/release"], ["absolute-path", ""], ["full-url", ""]]) {
    const answers = await ask(site.base(example), clients);
    const names = ["Atlas-Setup-1.4.0-x64.exe", "Atlas-1.4.0-x64.zip", "Atlas-1.4.0.AppImage"];
    for (const [index, { event, downloaded, requests }] of answers.entries()) {
      assert.equal(event, "update-available", `${example} ${EVERY_OS[index]}`);
      assert.equal(downloaded.size, packageBytes("1.4.0", names[index]).length);
      assert.equal(requests.at(-1), `GET ${prefix}/atlas/releases/1.4.0/${names[index]}`);
    }
  }
});

test("Windows takes the first exe whose whole path contains the architecture, else the first exe", async (t) => {
  const site = await startSite();
  t.after(site.close);
  const clients = ["x64", "arm64", "ia32"].map((arch) => downloader("win32", { arch }));
  const [x64, arm64, plain] = ["Atlas-Setup-1.4.0-x64.exe", "Atlas-Setup-1.4.0-arm64.exe", "Atlas-Setup-1.4.0.exe"];
  const expected = {
    "windows-archs": [x64, arm64, x64],
    "windows-plain-first": [plain, arm64, plain],
    "windows-plain-last": [arm64, arm64, arm64],
    "windows-product-name": Array(3).fill("charm64-1.4.0-x64.exe"),
    "windows-no-exe": Array(3).fill("Atlas-1.4.0-x64.msi"),
  };
  for (const [example, files] of Object.entries(expected)) {
    await t.test(example, async () => assert.deepEqual(await chosen(site.base(example), clients), files));
  }
});

test("macOS takes a zip: arm64 by name on Apple silicon where any file says so, never arm64 elsewhere", async (t) => {
  const universal = "version: 1.4.0\nfiles: [{url: Atlas-universal.zip, sha512: x}]\n";
  const site = await startSite({ feeds: { "site-for-arm64": universal } });
  t.after(site.close);
  const clients = [
    downloader("darwin"),
    downloader("darwin", { arch: "arm64" }),
    downloader("darwin", { rosetta: true }),
  ];
  const [x64, arm64, both] = ["x64", "arm64", "universal"].map((arch) => `Atlas-1.4.0-${arch}.zip`);
  const [noFiles, noZip] = ["NO_FILES_PROVIDED", "ZIP_FILE_NOT_FOUND"].map((code) => `error ERR_UPDATER_${code}`);
  const expected = {
    "mac-archs": [x64, arm64, arm64],
    "mac-universal": [both, both, both],
    "mac-universal-and-silicon": [both, arm64, arm64],
    "mac-universal-and-intel": [x64, x64, x64],
    "mac-silicon-dmg": [both, noZip, noZip],
    "mac-silicon": [noFiles, arm64, arm64],
    "mac-dmg-only": [noZip, noZip, noZip],
    "mac-old-name": Array(3).fill("Atlas-1.4.0-mac.zip"),
  };
  for (const [example, files] of Object.entries(expected)) {
    await t.test(example, async () => assert.deepEqual(await chosen(site.base(example), clients), files));
  }
  await t.test("`arm64` anywhere in the base path hides every file from Intel", async () =>
    assert.deepEqual(await chosen(site.base("site-for-arm64"), clients.slice(0, 1)), [noFiles]),
  );
});

test("Linux takes its own kind of package", async (t) => {
  const site = await startSite();
  t.after(site.close);
  const clients = ["appimage", "deb", "rpm", "pacman"].map((kind) => downloader("linux", { package: kind }));
  const expected = {
    linux: ["Atlas-1.4.0.AppImage", "atlas_1.4.0_amd64.deb", "atlas-1.4.0.x86_64.rpm", "error null"],
    // Without its own kind the updater meets `undefined`: an error event that carries no code.
    "linux-deb-only": ["error null", "atlas_1.4.0_amd64.deb", "error null", "error null"],
    "linux-other-package": Array(4).fill("atlas-1.4.0.tar.gz"),
  };
  for (const [example, files] of Object.entries(expected)) {
    await t.test(example, async () => assert.deepEqual(await chosen(site.base(example), clients), files));
  }
});

const onLinux = process.platform === "linux" ? false : "electron-updater picks by `process.platform`";

test("the resource file `package-type` picks the updater, APPIMAGE whether it runs", { skip: onLinux }, async (t) => {
  require("../electron.cjs");
  const resources = await mkdtemp(path.join(os.tmpdir(), "judge-selftest-"));
  const before = { resourcesPath: process.resourcesPath, appImage: process.env.APPIMAGE };
  t.after(async () => {
    process.resourcesPath = before.resourcesPath;
    if (before.appImage !== undefined) process.env.APPIMAGE = before.appImage;
    await rm(resources, { recursive: true });
  });
  process.resourcesPath = resources;
  delete process.env.APPIMAGE;

  const silent = pickUpdater();
  assert.equal(silent.constructor.name, "AppImageUpdater");
  silent.logger = null;
  assert.equal(await silent.checkForUpdates(), null, "neither AppImage nor package-type: the app never asks");
  const types = { deb: "DebUpdater", rpm: "RpmUpdater", "pacman\n": "PacmanUpdater", snap: "AppImageUpdater" };
  for (const [type, name] of Object.entries(types)) {
    await writeFile(path.join(resources, "package-type"), type);
    assert.equal(pickUpdater().constructor.name, name);
  }
});

/** `autoUpdater` is made once per load of the main module. */
function pickUpdater() {
  delete require.cache[require.resolve("electron-updater")];
  return require("electron-updater").autoUpdater;
}
