// Asks the real electron-updater what it makes of a feed. Reads one JSON object on stdin:
//
//   {"base": "http://…/feeds/electron-updater", "clients": [{
//      "os": "win32"|"linux"|"darwin", "arch": "x64"|"arm64"|"ia32"|"arm", "current": "1.3.0",
//      "id": "<uuid>"|null, "channel": "beta"|null, "allowDowngrade": false, "download": false,
//      "seed": "<path of the previous package>"|null,        makes a failed differential download an error
//      "package": "appimage"|"deb"|"rpm"|"pacman",           Linux only
//      "rosetta": false,                                     an x64 app on Apple silicon
//      "multipleRanges": false }]}                           what `useMultipleRangeRequest` says
//
// and prints one JSON array, in the same order:
//
//   {"event": "update-available"|"update-not-available"|"error", "version": "1.4.0"|null, "stagingPercentage"?: 10,
//    "downloaded": {"path": "pending/<file>", "size": 1, "sha512": "<base64>"}|null,
//    "error": {"code": "ERR_…"|null, "message": "first line"}|null,
//    "requests": ["GET /…"], "received": <body bytes>}
//
// An error anywhere, the download included, is the event `error`; `version` then still says what was offered.
// `path` is inside a directory that is gone when the answer is printed. `requests` leaves out the clock (`?noCache=`).
// Exit 1: the judge itself broke (a seed that is not there); 2: the question is wrong.
// With LASTMILE_JUDGE_LOG set, the updaters' own log goes to stderr.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { appImagePath, run } from "./client.mjs";
import { parseQuestion } from "./contract.mjs";

const { become } = createRequire(import.meta.url)("./machine.cjs");
const CHECKS_AT_ONCE = 32;

/** Clients that only check run side by side with others of their kind; a download has the machine for itself. */
async function runAll({ base, clients }, root) {
  const answers = new Array(clients.length);
  const groups = new Map();
  for (const [index, client] of clients.entries()) {
    const key = client.download ? index : `${client.arch} ${client.rosetta} ${appImagePath(client, "") !== null}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(index);
  }
  for (const indexes of groups.values()) {
    const home = (index) => path.join(root, String(index));
    const first = clients[indexes[0]];
    become({ arch: first.arch, rosetta: first.rosetta, appImage: appImagePath(first, home(indexes[0])) });
    const queue = indexes.values();
    const worker = async () => {
      for (const index of queue) {
        await mkdir(home(index));
        answers[index] = await run(clients[index], base, home(index));
        await rm(home(index), { recursive: true, force: true });
      }
    };
    await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, worker));
  }
  return answers;
}

let question;
try {
  question = parseQuestion(await text(process.stdin));
} catch (error) {
  process.stderr.write(`the question cannot be read: ${error.message}\n`);
  process.exit(2);
}
const root = await mkdtemp(path.join(os.tmpdir(), "electron-updater-judge-"));
let answers;
try {
  answers = await runAll(question, root);
} finally {
  await rm(root, { recursive: true, force: true });
}
// Exits by itself rather than at the end of the loop: idle connections and updaters' timers would hold it open.
process.stdout.write(`${JSON.stringify(answers)}\n`, () => process.exit(0));
