#!/bin/sh
# The service on a real systemd: boots a Debian root with systemd-nspawn, installs the package and goes through what
# an operator goes through, from the first start to a power cut.
#
#   tests/systemd.sh [PACKAGE]    default: the one that tests/package.sh left under target/debian, made if absent
#
# Needs root on a Linux with loop devices; installs systemd-container and debootstrap where apt-get is there. The
# root is made once, from the Debian mirror this machine is configured for, and kept in target/systemd/base.
# Nothing is started on this machine itself. Exit 77: this machine cannot boot a container, and why.
set -eu

cd "$(dirname "$0")/.."
say() { printf '%s\n' "systemd: $*" >&2; }
die() { say "FAILED: $*"; exit 1; }
unable() { say "NOT RUN: $*"; exit 77; }

PATH=$PATH:/usr/sbin:/sbin
export PATH
[ "$(id -u)" = 0 ] || unable "booting a container needs root"
need() { command -v "$1" >/dev/null 2>&1 || missing="${missing-} $2"; }
need systemd-nspawn systemd-container
need debootstrap debootstrap
need mkfs.ext4 e2fsprogs
need python3 python3
if [ -n "${missing-}" ]; then
    command -v apt-get >/dev/null 2>&1 || unable "install$missing"
    # shellcheck disable=SC2086
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing; } >&2 ||
        unable "apt-get could not install$missing"
fi

target=${CARGO_TARGET_DIR:-$PWD/target}
deb=${1:-$(find "$target/debian" -name 'burdenwatch_*.deb' 2>/dev/null | head -n 1)}
[ -n "$deb" ] || deb=$(tests/package.sh)
[ -e "$deb" ] || die "there is no package $deb"

work=$target/systemd
mkdir -p "$work"
if [ ! -e "$work/base/.complete" ]; then
    # What this machine's Debian is, and where it comes from.
    suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
    mirror=$(cat /etc/apt/sources.list.d/debian.sources 2>/dev/null | sed -n 's/^URIs: *\([^ ]*\).*/\1/p' | head -n 1)
    [ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*debian\/\?\) .*/\2/p' /etc/apt/sources.list | head -n 1)
    case $suite in bookworm | trixie | sid) ;; *) suite=bookworm mirror=http://deb.debian.org/debian ;; esac
    say "making a Debian root ($suite from ${mirror:=http://deb.debian.org/debian})"
    rm -rf "$work/base"
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,libnss-myhostname,ca-certificates,tzdata,procps,openssl,python3 \
        "$suite" "$work/base" "$mirror" >"$work/debootstrap.log" 2>&1 || unable "debootstrap failed, see $work/debootstrap.log"
    rm -rf "$work"/base/var/cache/apt/archives/*.deb "$work"/base/var/lib/apt/lists/*
    touch "$work/base/.complete"
fi
exec python3 tests/systemd/scenarios.py "$work" "$deb"
