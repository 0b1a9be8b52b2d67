// Asks electron-updater's own code who may have signed an update. What PowerShell would say of the file is put in its place:
// the subject as given. Reads `[[names, subject], …]` in JSON, writes an array of whether each is accepted.
import childProcess from 'node:child_process'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const file = 'C:\\update.exe'
let subject = ''
// The module takes its `execFile` from here when it is called.
childProcess.execFile = (_program, _arguments, _options, done) =>
  done(null, JSON.stringify({ Status: 0, Path: file, SignerCertificate: { Subject: subject } }), '')
require('node:child_process').execFile = childProcess.execFile
const { verifySignature } = require('electron-updater/out/windowsExecutableCodeSignatureVerifier.js')

let text = ''
for await (const piece of process.stdin) text += piece
const logger = { info() {}, warn() {} }
const answers = []
for (const [names, found] of JSON.parse(text)) {
  subject = found
  answers.push((await verifySignature(names, file, logger)) === null)
}
process.stdout.write(JSON.stringify(answers))
