#!/bin/sh
# Makes a Docker engine reachable: uses the one that answers, otherwise installs the distribution's packages and
# starts one. Also brings what the tests and the Debian bases need beside it. Debian and Ubuntu; root or sudo.
#
#   .ci/engine.sh demo    an engine, and mmdebstrap to make a base where none can be pulled
#   .ci/engine.sh test    the same, and the tests' own tools: a registry, RPM tools, buildx
#
# Prints nothing on standard output. Exit 4: nothing can be installed here; what to install stands on standard error.
set -eu

want=${1:-demo}
here=$(cd "$(dirname "$0")/.." && pwd)
log=${TMPDIR:-/tmp}/runtimebuilder-dockerd.log

say() { echo "$*" >&2; }
fail() {
  say "error: $1"
  say "  -> $2"
  exit 4
}

engine_answers() {
  # The SDK's own way of finding an engine, so that both mean the same one.
  "$here/.venv/bin/python" - <<'PY' 2>/dev/null
import docker
docker.from_env(timeout=10).ping()
PY
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else return 126
  fi
}

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }
available() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }

updated=""
install() {
  missing=""
  for package in "$@"; do installed "$package" || missing="$missing $package"; done
  [ -z "$missing" ] && return 0
  [ "$(uname -s)" = Linux ] && command -v apt-get >/dev/null 2>&1 ||
    fail "this is neither Debian nor Ubuntu: nothing can be installed here" "install by hand:$missing"
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1 ||
    fail "nothing can be installed without root" "ask an administrator to run: apt-get install$missing"
  say "installing$missing"
  if [ -z "$updated" ]; then
    as_root apt-get update -qq >"$log.apt" 2>&1 || { tail -5 "$log.apt" >&2; fail "apt-get update failed" "repair the machine's package sources"; }
    updated=yes
  fi
  wanted=""
  for package in $missing; do
    if available "$package"; then wanted="$wanted $package"; else
      case " $optional " in *" $package "*) ;; *) fail "there is no package $package for this distribution" "install it by hand" ;; esac
    fi
  done
  [ -z "$wanted" ] && return 0
  # shellcheck disable=SC2086 # a list of package names
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >"$log.apt" 2>&1 || {
    tail -5 "$log.apt" >&2
    fail "apt-get could not install$wanted" "repair the machine's package sources, or install them by hand"
  }
}

start_engine() {
  if [ -d /run/systemd/system ] && as_root systemctl start docker 2>/dev/null; then :
  else
    # No init here: start it ourselves, detached, with a log to look at.
    say "starting dockerd (log: $log)"
    as_root sh -c "nohup dockerd >'$log' 2>&1 </dev/null & echo \$! >'$log.pid'"
  fi
  tries=0
  until engine_answers; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { tail -5 "$log" >&2 2>/dev/null || true; fail "the Docker engine does not start" "look at $log, then start one by hand"; }
    sleep 0.5
  done
}

optional="docker-buildx buildah debian-archive-keyring"
if ! engine_answers; then
  if command -v dockerd >/dev/null 2>&1 || [ -x /usr/sbin/dockerd ]; then :; else
    install docker.io docker-buildx iptables ca-certificates
  fi
  PATH="$PATH:/usr/sbin:/sbin"
  export PATH
  start_engine
fi

case $want in
  demo) command -v mmdebstrap >/dev/null 2>&1 || install mmdebstrap debian-archive-keyring ;;
  test)
    install mmdebstrap debian-archive-keyring docker-registry gcc libc6-dev
    ;;
  *) fail "unknown mode $want" "say demo or test" ;;
esac
