#!/bin/sh
# Fetches packages of Debian 13 and unpacks them into a folder, for the tests: what Debian 12 has no package of, and
# needs no newer libc. The machine itself is not changed.
#
#   .ci/debian13.sh DIR PACKAGE...     DIR must not be there yet; it is whole, or not there
#
# Uses the mirror and the proof of origin (signed-by) of this machine's own Debian sources.
set -eu

dir=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
site=$(apt-get indextargets --format '$(SITE)|$(ORIGIN)|$(LABEL)' 'Created-By: Packages' | sed -n 's/|Debian|Debian$//p' | head -n 1)
[ -n "$site" ] || { echo "error: no Debian mirror is set up here; install by hand: $*" >&2; exit 4; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $site trixie main" >"$work/sources.list"
mkdir -p "$work/lists/partial"
options="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/nonexistent -o Dir::State::lists=$work/lists -o APT::Sandbox::User=root"
(
  cd "$work"
  # shellcheck disable=SC2086 # a list of options
  apt-get $options update -qq && apt-get $options download -qq "$@"
  for package in ./*.deb; do dpkg-deb -x "$package" unpacked; done
) >"$work/log" 2>&1 || { tail -5 "$work/log" >&2; echo "error: $* could not be fetched" >&2; exit 4; }
rm -rf "$dir.part"
mv "$work/unpacked" "$dir.part"
mv "$dir.part" "$dir"
