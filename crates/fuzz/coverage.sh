#!/bin/sh
# A compiler for `RUSTC_WORKSPACE_WRAPPER`: it tells libFuzzer which edges of our own crates ran, as cargo-fuzz does for all
# crates. Those of others are taken as they were built for the tests, so that a short run need not build them again.
set -eu
exec "$@" -Cpasses=sancov-module -Ccodegen-units=1 -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
