#!/bin/sh
# What waiting costs with 500 feeds: below 32 MiB resident and 0.5 % of a core. Options: see tests/load/idle.py.
#   BURDENWATCH=FILE    the program; default target/release/burdenwatch, built if absent
set -eu
cd "$(dirname "$0")/.."
program=${BURDENWATCH:-${CARGO_TARGET_DIR:-target}/release/burdenwatch}
[ -x "$program" ] || cargo build --quiet --locked --release
exec python3 tests/load/idle.py "$program" "$@"
