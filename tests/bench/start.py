#!/usr/bin/env python3
"""How long a process of `lastmile` takes from its start to its end, beside what else a step could be written in.

    cargo build --profile dist && python3 tests/bench/start.py [runs] [binary]

Prints the median and the least of the wall clock in milliseconds, and the size of the binary. Each command is run in turn, so
that what else the machine does meets all of them.
Measured on 2026-11-25, two cores: lastmile 1.9 ms (`true` 0.8), node 22.7, python3 35.0; 11.7 MB, linked with glibc.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

root = pathlib.Path(__file__).parents[2]
runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
binary = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else root / "target/dist/lastmile").resolve()
if not binary.exists():
    sys.exit(f"start.py: `{binary}` is not there; build it first: cargo build --profile dist")

commands = {
    "true": ["/bin/true"],
    "lastmile --version": [str(binary), "--version"],
    "lastmile tag --help": [str(binary), "tag", "--help"],
    "node -e 0": ["node", "-e", "0"],
    "python3 -c pass": ["python3", "-c", "pass"],
}
commands = {name: command for name, command in commands.items() if shutil.which(command[0])}
times: dict[str, list[float]] = {name: [] for name in commands}
for _ in range(runs):
    for name, command in commands.items():
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})
        times[name].append((time.perf_counter() - began) * 1e3)
for name, taken in times.items():
    print(f"{name:<22} median {statistics.median(taken):7.2f} ms, least {min(taken):7.2f} ms")
print(f"{binary.name} has {binary.stat().st_size / 1e6:.1f} MB")
