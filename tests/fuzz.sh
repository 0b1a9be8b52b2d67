#!/usr/bin/env bash
# Runs libFuzzer on each parser for some seconds, from real files whose names end as those that it reads.
#
#   tests/fuzz.sh SECONDS FOLDER...
#
# Seeds are what is in the folders: `LASTMILE_SEEDS=FOLDER cargo test -p lastmile --test it hostile` leaves some for every
# parser. What libFuzzer finds besides it keeps in target/fuzz. A parser that panics, takes more than 5 seconds or 512 MB
# is a failure, and the input that does it is left as target/fuzz/<parser>-<kind>-<digest>.
#
# For hours, and with the crates of others instrumented too, run cargo-fuzz on one parser: see crates/fuzz/src/lib.rs.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

if (($# < 2)) || [[ ! $1 =~ ^[0-9]+$ ]]; then
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
readonly seconds=$1
shift
readonly seeds_max_bytes=1000000 # larger files of a corpus cost more rounds than they teach
readonly out=target/fuzz

RUSTC_WORKSPACE_WRAPPER="$PWD/crates/fuzz/coverage.sh" \
    cargo build --quiet --package fuzz --features libfuzzer --bin parser --target-dir "${CARGO_TARGET_DIR:-target}"
readonly bin="${CARGO_TARGET_DIR:-target}/debug"

# One parser. Prints a line of what it did.
fuzz() {
    local parser=$1 name seeds log
    shift
    name=${parser//[^A-Za-z0-9.]/-}
    seeds=$out/seeds/$name
    log=$out/$name.log
    mkdir -p "$seeds" "$out/found/$name"
    find "$@" -type f -name "*${parser//\//%}" -size "-${seeds_max_bytes}c" -exec cp -n -t "$seeds" {} +
    if ! find "$seeds" -type f | grep -q .; then
        echo "$parser: expected a file in $* whose name ends so, found none: nothing to begin with" >&2
        return 1
    fi
    if ! LASTMILE_PARSER=$parser "$bin/parser" "$out/found/$name" "$seeds" -seed=1 -max_total_time="$seconds" -timeout=5 \
        -rss_limit_mb=512 -artifact_prefix="$out/$name-" -print_final_stats=1 >"$log" 2>&1; then
        echo "$parser: libFuzzer found something: $log" >&2
        tail -n 30 "$log" >&2
        return 1
    fi
    awk -v parser="$parser" '/stat::number_of_executed_units/ { runs = $2 }
        /stat::peak_rss_mb/ { peak = $2 }
        END { printf "%-28s %9d runs  %4d MB\n", parser, runs, peak }' "$log"
}
export -f fuzz
export seconds seeds_max_bytes out bin

mkdir -p "$out"
sed -n 's/^ *reads: "\(.*\)",$/\1/p' crates/fuzz/src/lib.rs | xargs -d '\n' -P "$(nproc)" -I '{}' bash -c 'fuzz "$@"' _ '{}' "$@"
