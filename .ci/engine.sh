#!/bin/sh
# Makes a Docker engine reachable: uses the one that answers, otherwise installs the distribution's packages and
# starts one. Also brings what the Debian bases and the tests need beside it. Debian and Ubuntu, as root.
#
#   .ci/engine.sh demo    an engine, and mmdebstrap to make a base where none can be pulled
#   .ci/engine.sh test    the same, and the tests' own tools
#
# Prints nothing on standard output. Exit 4: nothing can be installed here; what to install stands on standard error.
set -eu

want=${1:-demo}
here=$(cd "$(dirname "$0")/.." && pwd)
log=${TMPDIR:-/tmp}/runtimebuilder-dockerd.log
PATH="$PATH:/usr/sbin:/sbin"
export PATH

say() { echo "$*" >&2; }
fail() {
  say "error: $1"
  say "  -> $2"
  exit 4
}

engine_answers() {
  # The SDK's own way of finding an engine, so that both mean the same one.
  "$here/.venv/bin/python" -c 'import docker; docker.from_env(timeout=10).ping()' >/dev/null 2>&1
}

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }
available() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }

updated=""
# install NAME...: the packages that are missing; one with a question mark behind its name may be unknown here.
install() {
  wanted=""
  for package in "$@"; do installed "${package%\?}" || wanted="$wanted $package"; done
  [ -n "$wanted" ] || return 0
  plain=$(echo "$wanted" | tr -d '?')
  [ "$(uname -s)" = Linux ] && command -v apt-get >/dev/null 2>&1 ||
    fail "this is neither Debian nor Ubuntu: nothing can be installed here" "install by hand:$plain"
  [ "$(id -u)" = 0 ] ||
    fail "packages are missing and only root can install them:$plain" "run this with sudo, or ask an administrator"
  if [ -z "$updated" ]; then
    LC_ALL=C apt-get update -qq >"$log.apt" 2>&1 ||
      { tail -n 5 "$log.apt" >&2; fail "apt-get update failed" "repair the machine's package sources"; }
    updated=yes
  fi
  known=""
  for package in $wanted; do
    if available "${package%\?}"; then known="$known ${package%\?}"
    else case $package in
      *\?) ;;
      *) fail "this distribution has no package $package" "install it by hand" ;;
      esac
    fi
  done
  [ -n "$known" ] || return 0
  say "installing$known"
  # shellcheck disable=SC2086 # a list of package names
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $known >"$log.apt" 2>&1 ||
    { tail -n 5 "$log.apt" >&2; fail "apt-get could not install$known" "repair the machine's package sources, or install them by hand"; }
}

start_engine() {
  if [ -d /run/systemd/system ] && systemctl start docker 2>/dev/null; then
    say "started the docker service"
  else
    # No init here: start it ourselves, detached from this shell, with a log to look at.
    say "starting dockerd (log: $log)"
    # One that was killed leaves its pid behind; it may be another process's by now, or nobody's but a zombie's.
    old=$(cat /var/run/docker.pid 2>/dev/null || true)
    case $(sed 's/^[0-9]* //; s/^\(([^)]*) .\).*/\1/' "/proc/${old:-none}/stat" 2>/dev/null || true) in
      "(dockerd) Z") rm -f /var/run/docker.pid ;;
      "(dockerd) "*) ;;
      *) rm -f /var/run/docker.pid ;;
    esac
    nohup setsid dockerd >"$log" 2>&1 </dev/null &
  fi
  tries=0
  until engine_answers; do
    tries=$((tries + 1))
    [ "$tries" -lt 80 ] ||
      { tail -n 5 "$log" >&2 || true; fail "the Docker engine does not start" "look at $log, then start one by hand"; }
    sleep 0.5
  done
}

case $want in demo | test) ;; *) fail "unknown mode $want" "say demo or test" ;; esac
[ -x "$here/.venv/bin/python" ] || fail "there is no virtual environment in .venv" "make venv"

if ! engine_answers; then
  if [ "$(id -u)" != 0 ] && [ -S /var/run/docker.sock ]; then
    fail "there is a Docker engine here that this user may not use" "run this with sudo, or join the group docker"
  fi
  command -v dockerd >/dev/null 2>&1 || install docker.io docker-buildx\? iptables ca-certificates
  [ "$(id -u)" = 0 ] || fail "no Docker engine answers, and only root can start one" "run this with sudo"
  start_engine
fi

command -v mmdebstrap >/dev/null 2>&1 || install mmdebstrap debian-archive-keyring\?
if [ "$want" = test ]; then
  # Debian 13 has the CLI in a package of its own.
  command -v docker >/dev/null 2>&1 || install docker-cli\?
  command -v docker >/dev/null 2>&1 || install docker.io
  command -v docker-registry >/dev/null 2>&1 || install docker-registry
  command -v git >/dev/null 2>&1 || install git
fi
