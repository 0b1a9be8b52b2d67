// The question as it comes in on stdin, checked before anything runs: a mistyped field must not become a passing check.
import { createRequire } from "node:module";

const { UUID } = createRequire(import.meta.url)("builder-util-runtime");

const MAX_CLIENTS = 100_000;

const text = (value) => typeof value === "string" && value.length > 0 && value.length <= 4096;
const flag = (value) => typeof value === "boolean";
const oneOf = (...words) => ({ words, test: (value) => words.includes(value) });

/** Field → [test, default]; no default means that the field must be there. */
const FIELDS = {
  os: [oneOf("win32", "linux", "darwin")],
  arch: [oneOf("x64", "arm64", "ia32", "arm")],
  current: [text],
  id: [(value) => value === null || isUuid(value), null],
  channel: [(value) => value === null || text(value), null],
  allowDowngrade: [flag, false],
  download: [flag, false],
  seed: [(value) => value === null || text(value), null],
  package: [oneOf("appimage", "deb", "rpm", "pacman"), "appimage"],
  rosetta: [flag, false],
  multipleRanges: [flag, false],
};

/** @returns {{base: string, clients: object[]}} with every default filled in; throws with the place of the first mistake. */
export function parseQuestion(source) {
  const question = JSON.parse(source);
  if (!URL.canParse(question?.base)) {
    throw new Error(`\`base\`: expected a URL, found ${JSON.stringify(question?.base)}`);
  }
  if (!Array.isArray(question.clients) || question.clients.length > MAX_CLIENTS) {
    throw new Error(`\`clients\`: expected an array of at most ${MAX_CLIENTS}`);
  }
  return { base: question.base, clients: question.clients.map(parseClient) };
}

function parseClient(given, index) {
  if (given === null || typeof given !== "object") throw new Error(`\`clients[${index}]\`: expected an object`);
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(FIELDS, name));
  if (unknown !== undefined) throw new Error(`\`clients[${index}].${unknown}\`: no such field`);
  const client = {};
  for (const [name, [rule, fallback]] of Object.entries(FIELDS)) {
    const value = Object.hasOwn(given, name) ? given[name] : fallback;
    const test = typeof rule === "function" ? rule : rule.test;
    if (value === undefined || !test(value)) {
      const expected = rule.words ? `, expected one of ${rule.words.join(", ")}` : "";
      throw new Error(`\`clients[${index}].${name}\`: found ${JSON.stringify(value)}${expected}`);
    }
    client[name] = value;
  }
  return client;
}

// The updater replaces an id that it cannot read by a random one; the answer would then depend on chance.
function isUuid(value) {
  return typeof value === "string" && value.length === 36 && Boolean(UUID.check(value));
}
