#!/bin/sh
# Makes the virtual environment: finds a Python that is new enough, installs the one of the distribution if need be.
# Exit 4: nothing can be installed here; what to install stands on standard error.
set -eu

venv=$1
here=$(cd "$(dirname "$0")/.." && pwd)

say() { echo "$*" >&2; }
fail() {
  say "error: $1"
  say "  -> $2"
  exit 4
}
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else fail "nothing can be installed without root" "ask an administrator to run: apt-get install python3-venv"
  fi
}
good() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
find_python() {
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 && good "$candidate"; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

python=$(find_python) || {
  [ "$(uname -s)" = Linux ] && command -v apt-get >/dev/null 2>&1 ||
    fail "Python 3.11 or newer with venv is needed" "install it by hand"
  say "installing python3-venv"
  as_root apt-get update -qq >/dev/null 2>&1 || fail "apt-get update failed" "repair the machine's package sources"
  # An older distribution has a newer Python beside its own, under its number.
  for package in python3-venv python3.13-venv python3.12-venv python3.11-venv; do
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null 2>&1 || continue
    python=$(find_python) && break
  done
  python=$(find_python) || fail "this distribution has no Python 3.11 or newer" "install Python 3.11 or newer with venv by hand"
}

say "installing runtimebuilder into $venv ($("$python" --version 2>&1))"
[ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || "$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --editable "$here[dev]" || fail "pip could not install the tool" "check that a Python package index can be reached"
