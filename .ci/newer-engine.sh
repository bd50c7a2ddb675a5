#!/bin/sh
# A second, newer Docker engine beside the machine's own, for the tests that compare engines: Debian 13's docker.io,
# unpacked into DIR and started from there with a socket, a data root and a bridge of its own. Nothing is installed.
# As root; runc and containerd's own helpers are those of Debian 12 where they have to be (newer ones need its libc).
#
#   .ci/newer-engine.sh DIR          unpacks (once), starts, prints the engine's address: unix://DIR/docker.sock
#   .ci/newer-engine.sh DIR --end    ends it and removes DIR
set -eu

dir=$1
PATH="$PATH:/usr/sbin:/sbin"
export PATH

fail() {
  echo "error: $1" >&2
  exit 4
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
  rm -rf --one-file-system "$dir"
  exit 0
fi

mkdir -p "$dir"
[ -d "$dir/root" ] || "$(dirname "$0")/debian13.sh" "$dir/root" docker.io containerd
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
