#!/bin/sh
# Puts a buildx into DIR/cli-plugins for the tests, where the machine has none of its own: Debian 12 has no package
# of it, so Debian 13's is unpacked (it needs only glibc 2.34). The machine itself is not changed.
#
#   .ci/buildx.sh DIR     then DOCKER_CONFIG=DIR finds it
#
# Uses the mirror and the proof of origin (signed-by) of this machine's own Debian sources.
set -eu

dir=$1
plugin=$dir/cli-plugins/docker-buildx
[ -x "$plugin" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
site=$(apt-get indextargets --format '$(SITE)|$(ORIGIN)|$(LABEL)' 'Created-By: Packages' | sed -n 's/|Debian|Debian$//p' | head -n 1)
[ -n "$site" ] || { echo "error: no Debian mirror is set up here; install docker-buildx by hand" >&2; exit 4; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $site trixie main" >"$work/sources.list"
mkdir -p "$work/lists/partial" "$dir/cli-plugins"
options="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/nonexistent -o Dir::State::lists=$work/lists -o APT::Sandbox::User=root"
cd "$work"
# shellcheck disable=SC2086 # a list of options
{
  apt-get $options update -qq
  apt-get $options download -qq docker-buildx
} >"$work/log" 2>&1 || { tail -5 "$work/log" >&2; echo "error: docker-buildx could not be fetched" >&2; exit 4; }
dpkg-deb -x docker-buildx_*.deb unpacked
cp unpacked/usr/libexec/docker/cli-plugins/docker-buildx "$plugin.part"
mv "$plugin.part" "$plugin"
