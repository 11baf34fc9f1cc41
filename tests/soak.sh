#!/bin/sh
# Load for half an hour: flat memory, no lost mail, no leak. Options, such as --seconds 300: see tests/load/soak.py.
#   BURDENWATCH=FILE    the program; default target/release/burdenwatch, built if absent
set -eu
cd "$(dirname "$0")/.."
program=${BURDENWATCH:-${CARGO_TARGET_DIR:-target}/release/burdenwatch}
[ -x "$program" ] || cargo build --quiet --locked --release
exec python3 tests/load/soak.py "$program" "$@"
