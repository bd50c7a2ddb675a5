#!/bin/sh
# Puts a buildx into DIR/cli-plugins for the tests, where the machine has none of its own: Debian 12 has no package
# of it, so Debian 13's is unpacked (it needs only glibc 2.34). The machine itself is not changed.
#
#   .ci/buildx.sh DIR     then DOCKER_CONFIG=DIR finds it
set -eu

dir=$1
plugin=$dir/cli-plugins/docker-buildx
[ -x "$plugin" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$(dirname "$0")/debian13.sh" "$work/unpacked" docker-buildx
mkdir -p "$dir/cli-plugins"
cp "$work/unpacked/usr/libexec/docker/cli-plugins/docker-buildx" "$plugin.part"
mv "$plugin.part" "$plugin"
