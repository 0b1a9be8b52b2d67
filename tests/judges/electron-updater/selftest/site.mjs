// The self-test's own web site: every example under its own base, and packages whose bytes follow from their address.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const FEED = /^\/([a-z0-9-]+)\/atlas\/feeds\/electron-updater\/([a-z0-9.-]+\.yml)$/;
const PACKAGE = /\/atlas\/releases\/([^/]+)\/([^/]+)$/;

/** The package that every example's hashes are of. */
export function packageBytes(version, name) {
  return Buffer.from(`${name} of ${version}\n`);
}

/** `files` replaces packages by path, `feeds` adds documents by case or `case/file`: bytes, or `{status, headers, body}`. */
export async function startSite({ files = {}, feeds = {} } = {}) {
  const log = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://site").pathname;
    log.push({ path, headers: request.headers });
    const answer = find(path, { files, feeds, origin });
    reply(request, response, answer);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    log,
    base: (example) => `${origin}/${example}/atlas/feeds/electron-updater`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function find(path, { files, feeds, origin }) {
  const feed = FEED.exec(path);
  if (feed !== null) {
    const [, example, name] = feed;
    const given = feeds[`${example}/${name}`] ?? feeds[example];
    if (given !== undefined) return whole(given);
    const text = readFileSync(new URL(`../examples/${example}.yml`, import.meta.url), "utf8");
    return { body: text.replaceAll("ORIGIN", origin) };
  }
  const [, version, name] = PACKAGE.exec(path) ?? [];
  if (files[path] !== undefined) return whole(files[path]);
  if (version === undefined || name.endsWith(".blockmap")) return { status: 404, body: "nothing here" };
  return { body: packageBytes(version, name) };
}

const whole = (given) => (typeof given === "string" || Buffer.isBuffer(given) ? { body: given } : given);

// Single ranges only, as S3 has it: a request for several gets the whole.
function reply(request, response, { status = 200, headers = {}, body = "" }) {
  const bytes = Buffer.from(body);
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (range !== null && status === 200) {
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
    response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${end}/${bytes.length}` });
    return response.end(bytes.subarray(start, end + 1));
  }
  response.writeHead(status, { "accept-ranges": "bytes", ...headers });
  response.end(bytes);
}
