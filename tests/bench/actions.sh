#!/usr/bin/env bash
# How long each action takes as a step of a client repository's workflow (`tests/clients/electron`), run by `act` on this
# machine against an S3 service and a GitHub on it: the script, the binary's digest, and the verb itself.
#
#   cargo build --profile dist && tests/bench/actions.sh [binary]
#
# Prints the median of five pushes and five dispatches, and the first time, which also downloads the binary.
# Measured on 2026-11-25, two cores: verify 65 ms, tag 65 ms, publish 85 ms, rollout 72 ms.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
binary=$(realpath -- "${1:-$here/../../target/dist/lastmile}")
[[ -x $binary ]] || { echo "actions.sh: \`$binary\` is not there; build it first: cargo build --profile dist" >&2; exit 2; }
cd -- "$here/../.."
LASTMILE_JUDGES=required LASTMILE_BENCH_BINARY=$binary cargo test --quiet --package lastmile --test it -- \
    --ignored --nocapture client::each_action_is_timed | grep ' ms'
