"use strict";
// The parts of Electron that electron-updater touches, over Node's own HTTP client: `net`, `session`, `autoUpdater`
// (Squirrel.Mac), and `app`. Requiring this file makes `require("electron")` yield it. It decides nothing about updates:
// finding, choosing, comparing, and checking hashes is all electron-updater's own code.
const { createHash } = require("node:crypto");
const { EventEmitter } = require("node:events");
const http = require("node:http");
const https = require("node:https");
const Module = require("node:module");

const agents = {
  "http:": new http.Agent({ keepAlive: true, maxSockets: 32 }),
  "https:": new https.Agent({ keepAlive: true, maxSockets: 32 }),
};

/** Electron's `ClientRequest`: `redirect: "manual"` announces a redirect and stops unless told to follow. */
class ClientRequest extends EventEmitter {
  constructor(options) {
    super();
    this.options = options;
    this.body = undefined;
    this.current = null;
    this.aborted = false;
  }

  end(body) {
    this.body = body;
    this.#send(this.options);
  }

  abort() {
    this.aborted = true;
    this.current?.destroy();
  }

  #send(options) {
    const { protocol = "https:", session, redirect: _redirect, ...rest } = options;
    const client = protocol === "http:" ? http : https;
    const record = session.begin(`${(rest.method ?? "GET").toUpperCase()} ${rest.path}`);
    const request = client.request({ ...rest, protocol, agent: agents[protocol] });
    this.current = request;
    request.on("error", (error) => this.aborted || this.emit("error", error));
    request.on("response", (response) => this.#respond(options, response, record));
    request.end(this.body);
  }

  #respond(options, response, record) {
    const location = response.headers.location;
    if (location !== undefined && response.statusCode >= 300 && response.statusCode < 400) {
      response.resume();
      const target = new URL(location, `${options.protocol}//${options.hostname}:${options.port ?? ""}${options.path}`);
      const { protocol, hostname, port } = target;
      const follow = () =>
        this.#send({ ...options, protocol, hostname, port, path: target.pathname + target.search });
      if (options.redirect !== "manual") return follow();
      this.followRedirect = follow;
      this.emit("redirect", response.statusCode, options.method ?? "GET", target.href);
      return;
    }
    this.emit("response", response);
    // Counted after the consumer has attached itself, because the first `data` listener starts the flow.
    response.on("data", (chunk) => (record.bytes += Buffer.byteLength(chunk)));
  }
}

/** Squirrel.Mac as Electron exposes it: reads the feed it was given, then fetches the archive that the feed names. */
class NativeAutoUpdater extends EventEmitter {
  // Connections stay open, as macOS keeps them: a client that hangs up on the last byte can overtake the end of the
  // proxy's answer, and electron-updater then waits for ever for that answer to finish.
  agent = new http.Agent({ keepAlive: true });

  setFeedURL({ url, headers }) {
    this.feed = { url, headers };
  }

  checkForUpdates() {
    this.#update().then(
      (received) => {
        this.received = received;
        this.emit("update-downloaded");
      },
      (error) => this.emit("error", error),
    );
  }

  async #update() {
    const feed = await fetchWhole(this.feed.url, this.feed.headers, this.agent);
    const archive = await fetchWhole(JSON.parse(feed.toString("utf8")).url, {}, this.agent);
    return { size: archive.length, sha512: createHash("sha512").update(archive).digest("base64") };
  }
}

function fetchWhole(url, headers, agent) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers, agent }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(Buffer.concat(chunks))
          : reject(new Error(`squirrel expected 200 from the local proxy, found ${response.statusCode}`)),
      );
    });
    request.on("error", reject);
  });
}

module.exports = {
  net: { request: (options) => new ClientRequest(options) },
  session: {
    fromPartition() {
      throw new Error("every executor of this judge brings its own session");
    },
  },
  // Read once by each MacUpdater, so a getter gives each client its own Squirrel.
  get autoUpdater() {
    return new NativeAutoUpdater();
  },
  app: {
    isPackaged: true,
    getVersion: () => "1.3.0",
    getName: () => "atlas",
    getPath: () => "",
    whenReady: () => Promise.resolve(),
    once() {},
  },
};

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return request === "electron" ? __filename : resolveFilename.call(this, request, ...rest);
};
