#!/bin/sh
# Builds the Debian package and looks at it: contents, conffiles, lintian, twice the same bytes, a clean root.
#
#   tests/package.sh            the package of the dev profile: as shipped, but for the optimiser
#   tests/package.sh --release  the one to publish
#   BURDENWATCH=FILE            package this program instead of building one
#
# Leaves target/debian/burdenwatch_VERSION_ARCH.deb and, beside it, its SBOM (CycloneDX). Needs Debian; installs
# cargo-deb and lintian when they are missing.
set -eu

cd "$(dirname "$0")/.."
say() { printf '%s\n' "package: $*" >&2; }
die() { say "FAILED: $*"; exit 1; }

profile=dev folder=debug
[ "${1-}" != --release ] || profile=release folder=release

target=${CARGO_TARGET_DIR:-$PWD/target}
PATH=$target/tools/bin:$PATH
export PATH
command -v cargo-deb >/dev/null || cargo install --quiet --locked --root "$target/tools" cargo-deb
if ! command -v lintian >/dev/null; then
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install lintian >&2
fi

# The same commit gives the same bytes: its date stands in the archive, no path of this machine in the program.
date=$(git log -1 --format=%ct)
if [ -n "${BURDENWATCH-}" ]; then
    [ "$BURDENWATCH" -ef "$target/$folder/burdenwatch" ] || { mkdir -p "$target/$folder"; cp "$BURDENWATCH" "$target/$folder/"; }
elif [ $profile = release ]; then
    remap="--remap-path-prefix=$PWD=/burdenwatch --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    SOURCE_DATE_EPOCH=$date RUSTFLAGS="${RUSTFLAGS-} $remap" CFLAGS="-ffile-prefix-map=${CARGO_HOME:-$HOME/.cargo}=/cargo -ffile-prefix-map=$PWD=/burdenwatch" \
        cargo build --quiet --locked --release
else
    cargo build --quiet --locked
fi
program=$target/$folder/burdenwatch

made=$target/package
rm -rf "$made"
mkdir -p "$made/completions"
"$program" man "$made/man"
"$program" completions bash >"$made/completions/burdenwatch"
"$program" completions zsh >"$made/completions/_burdenwatch"
"$program" completions fish >"$made/completions/burdenwatch.fish"
# Commands typed by hand know no $STATE_DIRECTORY: the installed file names the service's.
sed 's|^#state_dir = |state_dir = |' config/burdenwatch.toml >"$made/burdenwatch.toml"
grep -q '^state_dir = "/var/lib/burdenwatch"' "$made/burdenwatch.toml" || die "config/burdenwatch.toml has no #state_dir line"
version=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"name":"burdenwatch","version":"\([^"]*\)".*/\1/')
cat >"$made/changelog" <<END
burdenwatch ($version-1) stable; urgency=medium

  * What is new stands in CHANGELOG.md, in the source.

 -- burdenwatch developers <burdenwatch@users.noreply.github.com>  $(date -u -R -d "@$date")
END
python3 tests/package/sbom.py "$date" >"$made/sbom.cdx.json"

[ $profile = release ] || fast=--fast
build() { SOURCE_DATE_EPOCH=$date cargo deb --quiet --no-build --profile $profile ${fast-} --output "$1" >/dev/null; }
build "$made/one.deb"
build "$made/two.deb"
cmp "$made/one.deb" "$made/two.deb" || die "two builds of the package differ"
rm -rf "$made/two.deb" "$target/debian"
mkdir -p "$target/debian"
deb=$target/debian/burdenwatch_$version-1_$(dpkg --print-architecture).deb
mv "$made/one.deb" "$deb"
cp "$made/sbom.cdx.json" "${deb%.deb}.cdx.json"

dpkg-deb --contents "$deb" | awk '{print $6}' >"$made/contents"
for path in usr/bin/burdenwatch lib/systemd/system/burdenwatch.service etc/burdenwatch/burdenwatch.toml \
    usr/share/man/man1/burdenwatch.1.gz usr/share/man/man5/burdenwatch.toml.5.gz \
    usr/share/bash-completion/completions/burdenwatch usr/share/zsh/vendor-completions/_burdenwatch \
    usr/share/fish/vendor_completions.d/burdenwatch.fish usr/share/doc/burdenwatch/sbom.cdx.json \
    usr/share/doc/burdenwatch/copyright; do
    grep -q "^\./\(usr/\)\?$path$" "$made/contents" || die "$path is not in the package"
done
dpkg-deb --info "$deb" conffiles | sort >"$made/conffiles"
sed -n 's|^\.\(/etc/.*[^/]\)$|\1|p' "$made/contents" | sort | cmp - "$made/conffiles" || die "a file under /etc is no conffile"
[ "$(grep -c '/rules/' "$made/conffiles")" = "$(find config/rules -name '*.toml' | wc -l)" ] || die "a rule file is missing"
[ "$(grep -c '/feeds/' "$made/conffiles")" = "$(find config/feeds -name '*.toml' | wc -l)" ] || die "a feed file is missing"
dpkg-deb --field "$deb" Depends | grep -q 'ca-certificates.*tzdata' || die "the package does not depend on TLS roots and time zones"

say "lintian"
lintian --fail-on error --tag-display-limit 0 --allow-root "$deb" >&2 || die "lintian found errors"

# A clean root: unpack, and let the installed program judge the installed configuration.
root=$made/root
dpkg-deb --extract "$deb" "$root"
"$root/usr/bin/burdenwatch" --config "$root/etc/burdenwatch/burdenwatch.toml" check >&2 || die "the installed configuration has mistakes"
rm -rf "$root"
say "$deb: $(stat -c %s "$deb") bytes, sha256 $(sha256sum "$deb" | cut -c1-64)"
printf '%s\n' "$deb"
