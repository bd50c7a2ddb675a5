#!/bin/sh
# A second, newer Docker engine beside the machine's own, for the tests that compare engines: Debian 13's docker.io,
# unpacked into DIR and started from there with a socket, a data root and a bridge of its own. Nothing is installed.
# As root; runc and containerd's own helpers are those of Debian 12 where they have to be (newer ones need its libc).
#
#   .ci/newer-engine.sh DIR          unpacks (once), starts, prints the engine's address: unix://DIR/docker.sock
#   .ci/newer-engine.sh DIR --end    ends it and removes DIR
#
# Uses the mirror and the proof of origin (signed-by) of this machine's own Debian sources.
set -eu

dir=$1
PATH="$PATH:/usr/sbin:/sbin"
export PATH

fail() {
  echo "error: $1" >&2
  exit 4
}

fetch() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT INT TERM
  site=$(apt-get indextargets --format '$(SITE)|$(ORIGIN)|$(LABEL)' 'Created-By: Packages' | sed -n 's/|Debian|Debian$//p' | head -n 1)
  [ -n "$site" ] || fail "no Debian mirror is set up here"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$keyring] $site trixie main" >"$work/sources.list"
  mkdir -p "$work/lists/partial" "$dir"
  options="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/nonexistent -o Dir::State::lists=$work/lists -o APT::Sandbox::User=root"
  (
    cd "$work"
    # shellcheck disable=SC2086 # a list of options
    apt-get $options update -qq && apt-get $options download -qq docker.io containerd
    for package in ./*.deb; do dpkg-deb -x "$package" unpacked; done
  ) >"$work/log" 2>&1 || { tail -5 "$work/log" >&2; fail "the newer engine's packages could not be fetched"; }
  rm -rf "$dir/root.part"
  mv "$work/unpacked" "$dir/root.part"
  mv "$dir/root.part" "$dir/root"
}

socket=$dir/docker.sock
bridge=rtbnewer$(echo "$dir" | cksum | cut -c1-4)

if [ "${2:-}" = --end ]; then
  for file in "$dir/dockerd.pid" "$dir/exec/containerd/containerd.pid"; do
    [ -f "$file" ] || continue
    pid=$(cat "$file")
    kill "$pid" 2>/dev/null || continue
    tries=0
    while [ -d "/proc/$pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  done
  # What an engine that was killed has left mounted, the innermost first.
  awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | while read -r place; do umount "$place" || true; done
  ip link delete "$bridge" 2>/dev/null || true
  rm -rf "$dir"
  exit 0
fi

[ -d "$dir/root" ] || fetch
answers() { DOCKER_HOST=unix://$socket "$(command -v docker)" version >/dev/null 2>&1; }
if [ -S "$socket" ] && answers; then
  echo "unix://$socket"
  exit 0
fi

if ! ip link show "$bridge" >/dev/null 2>&1; then
  ip link add "$bridge" type bridge
  ip addr add "172.29.$(($(echo "$dir" | cksum | cut -c1-4) % 256)).1/24" dev "$bridge"
  ip link set "$bridge" up
fi
# containerd's image store: exports of caches and OCI images need it.
printf '{"features": {"containerd-snapshotter": true}}\n' >"$dir/daemon.json"
PATH="$dir/root/usr/sbin:$dir/root/usr/bin:$PATH" nohup "$dir/root/usr/sbin/dockerd" --config-file "$dir/daemon.json" \
  --data-root "$dir/data" --exec-root "$dir/exec" --host "unix://$socket" --pidfile "$dir/dockerd.pid" --bridge "$bridge" \
  >"$dir/dockerd.log" 2>&1 &
tries=0
until answers; do
  tries=$((tries + 1))
  [ $tries -lt 60 ] || { tail -5 "$dir/dockerd.log" >&2; fail "the newer engine did not start"; }
  sleep 0.5
done
echo "unix://$socket"
