#!/bin/sh
# What one poll of all feeds costs, beside curl fetching the same from the same nginx. Options: see tests/load/cost.py.
#   BURDENWATCH=FILE    the program; default target/release/burdenwatch, built if absent
# Needs Debian's nginx-light and curl.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
for program in nginx curl; do
    command -v "$program" >/dev/null || { echo "cost: $program is absent: apt-get install nginx-light curl" >&2; exit 77; }
done
program=${BURDENWATCH:-${CARGO_TARGET_DIR:-target}/release/burdenwatch}
[ -x "$program" ] || cargo build --quiet --locked --release
exec python3 tests/load/cost.py "$program" "$@"
