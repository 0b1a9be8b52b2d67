"use strict";
// What the updater asks of the machine: `process.arch`, APPIMAGE, and the answers of `uname` and `sysctl`. All of it is
// global to the process, so clients that differ in it cannot run at the same time.
const childProcess = require("node:child_process");

const real = { arch: process.arch, execFileSync: childProcess.execFileSync };
let machine = null;

/** Makes this process look like `{arch, rosetta, appImage}` to electron-updater until the next call. */
function become(next) {
  machine = next;
  if (next.appImage === null) delete process.env.APPIMAGE;
  else process.env.APPIMAGE = next.appImage;
}

Object.defineProperty(process, "arch", { configurable: true, get: () => machine?.arch ?? real.arch });

// MacUpdater runs these two programs to learn whether it sits on Apple silicon; this machine would answer for itself.
childProcess.execFileSync = function (file, args, options) {
  const isSilicon = machine?.arch === "arm64" || machine?.rosetta;
  if (machine !== null && file === "uname") return isSilicon ? "Darwin ARM64" : "Darwin X86";
  if (machine !== null && file === "sysctl") return `${args[0]}: ${machine.rosetta ? 1 : 0}`;
  return real.execFileSync.call(childProcess, file, args, options);
};

module.exports = { become };
