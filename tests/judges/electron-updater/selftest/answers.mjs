// What a feed must say so that a client says yes, says no, or fails.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { EVERY_OS, ask, brief, client, downloader } from "./ask.mjs";
import { startSite } from "./site.mjs";

const NO = "update-not-available";
const YES = "update-available";
const everyone = [false, true].flatMap((allowDowngrade) =>
  EVERY_OS.map((os) => downloader(os, { allowDowngrade })),
);
const briefs = async (base, clients) => (await ask(base, clients)).map(brief);

test("nothing on offer", async (t) => {
  const odd = { empty: "", absent: { status: 404 }, gone: { status: 204 }, files: "files: []\n" };
  const site = await startSite({ feeds: odd });
  t.after(site.close);
  const no = [NO, NO, NO];
  const expected = {
    // A share of 0 is read before versions are compared, so it alone also stops those that may downgrade.
    nothing: [...no, ...no],
    "nothing-with-path-and-share": [...no, ...no],
    "candidate-at-zero": [...no, ...no],
    "nothing-without-share": [...no, ...Array(3).fill("error ERR_UPDATER_NO_FILES_PROVIDED")],
    "nothing-version-only": [...no, ...Array(3).fill("error ERR_UPDATER_NO_FILES_PROVIDED")],
    "nothing-with-path": [...no, ...Array(3).fill(`${YES} Atlas-Setup-0.0.0.exe`)],
    "nothing-with-file": [...no, ...Array(3).fill(`${YES} Atlas-Setup-0.0.0.exe`)],
    absent: Array(6).fill("error ERR_UPDATER_CHANNEL_FILE_NOT_FOUND"),
    empty: Array(6).fill("error ERR_UPDATER_INVALID_UPDATE_INFO"),
    gone: Array(6).fill("error ERR_UPDATER_INVALID_UPDATE_INFO"),
    files: Array(6).fill("error ERR_UPDATER_INVALID_VERSION"),
  };
  for (const [example, answers] of Object.entries(expected)) {
    await t.test(example, async () => assert.deepEqual(await briefs(site.base(example), everyone), answers));
  }
  await t.test("`nothing` holds for any version and id", async () => {
    // The id with the smallest bucket: its last four bytes are zero.
    const lowest = "00000000-0000-5000-8000-000000000000";
    const versions = ["0.0.0", "0.0.0-alpha.1", "1.4.0", "99.0.0-beta.2"];
    const clients = versions.flatMap((current) =>
      EVERY_OS.map((os) => client(os, { current, id: lowest, allowDowngrade: true })),
    );
    assert.deepEqual(new Set(await briefs(site.base("nothing"), clients)), new Set([NO]));
  });
});

test("versions are compared as semantic versions", async (t) => {
  const site = await startSite();
  t.after(site.close);
  const ages = ["1.3.0", "1.4.0-rc.1", "1.4.0", "1.4.1"];
  const clients = [false, true].flatMap((allowDowngrade) =>
    ages.map((current) => client("win32", { current, allowDowngrade })),
  );
  assert.deepEqual(await briefs(site.base("release"), clients), [YES, YES, NO, NO, YES, YES, NO, YES]);
});

test("unknown keys and JSON text pass", async (t) => {
  const site = await startSite();
  t.after(site.close);
  for (const example of ["release", "release-as-json"]) {
    const answers = await briefs(site.base(example), EVERY_OS.map((os) => downloader(os)));
    const names = ["Atlas-Setup-1.4.0-x64.exe", "Atlas-1.4.0-x64.zip", "Atlas-1.4.0.AppImage"];
    assert.deepEqual(answers, names.map((name) => `${YES} ${name}`), example);
  }
});

test("channels and architectures have their own files, and never fall back", async (t) => {
  const beta = "version: 2.0.0-beta.1\nfiles: []\n";
  const site = await startSite({ feeds: { two: { status: 404 }, "two/beta.yml": beta } });
  t.after(site.close);
  const clients = [
    client("win32", { channel: "beta" }),
    client("win32"),
    ...EVERY_OS.map((os) => client(os, { arch: "arm64", channel: "beta" })),
  ];
  const answers = await ask(site.base("two"), clients);
  assert.deepEqual(
    answers.map((answer) => `${answer.requests[0].replace(/.*\//, "")} ${brief(answer)}`),
    [
      `beta.yml ${YES}`,
      "latest.yml error ERR_UPDATER_CHANNEL_FILE_NOT_FOUND",
      `beta.yml ${YES}`,
      "beta-mac.yml error ERR_UPDATER_CHANNEL_FILE_NOT_FOUND",
      "beta-linux-arm64.yml error ERR_UPDATER_CHANNEL_FILE_NOT_FOUND",
    ],
  );
});

test("statuses", async (t) => {
  const moved = { status: 302, headers: { location: "/release/atlas/feeds/electron-updater/latest.yml" } };
  const site = await startSite({ feeds: { moved, broken: { status: 500 }, denied: { status: 403 } } });
  t.after(site.close);
  const [redirected] = await ask(site.base("moved"), [client("win32")]);
  assert.equal(brief(redirected), YES);
  assert.deepEqual(
    redirected.requests.map((line) => line.split("?")[0]),
    ["GET /moved/atlas/feeds/electron-updater/latest.yml", "GET /release/atlas/feeds/electron-updater/latest.yml"],
  );
  assert.deepEqual(await briefs(site.base("broken"), [client("linux")]), ["error HTTP_ERROR_500"]);
  assert.deepEqual(await briefs(site.base("denied"), [client("darwin")]), ["error HTTP_ERROR_403"]);
});

test("the id goes out with the check alone and decides the share, 1,000 clients in well under 20 s", async (t) => {
  const site = await startSite();
  t.after(site.close);
  const ids = Array.from({ length: 1000 }, (_, index) => uuid(index));
  const started = performance.now();
  const answers = await ask(site.base("staged"), ids.map((id, index) => client(EVERY_OS[index % 3], { id })));
  const seconds = (performance.now() - started) / 1000;
  assert.ok(seconds < 20, `took ${seconds} s`);
  t.diagnostic(`1,000 checks took ${seconds.toFixed(2)} s`);
  for (const [index, answer] of answers.entries()) {
    const within = Number.parseInt(ids[index].slice(-8), 16) / 0xffffffff < 0.5;
    assert.equal(answer.event, within ? YES : NO, ids[index]);
    assert.equal(answer.stagingPercentage, 50);
  }
  assert.deepEqual(new Set(site.log.map(({ headers }) => headers["x-user-staging-id"])), new Set(ids));

  site.log.length = 0;
  await ask(site.base("release"), [downloader("win32", { id: ids[0] })]);
  const carriers = site.log.filter(({ headers }) => headers["x-user-staging-id"] !== undefined);
  assert.deepEqual(carriers.map(({ path }) => path), ["/release/atlas/feeds/electron-updater/latest.yml"]);
});

/** A UUID of version 5 that is always the same for the same number. */
function uuid(number) {
  const hex = createHash("sha256").update(`install ${number}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}
