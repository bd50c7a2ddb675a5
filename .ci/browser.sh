#!/bin/sh
# Brings the browser in which the tests open the pages of reports: uses the one that is there, otherwise installs the
# distribution's Chromium. Debian, as root.
#
# Prints nothing on standard output. Exit 4: nothing can be installed here; what to install stands on standard error.
set -eu

log=${TMPDIR:-/tmp}/runtimebuilder-browser.log

say() { echo "$*" >&2; }
fail() {
  say "error: $1"
  say "  -> $2"
  exit 4
}

# The same names, in the same order, as tests/browser/chromium.py.
for program in chromium google-chrome google-chrome-stable chromium-browser; do
  command -v "$program" >/dev/null 2>&1 && exit 0
done

[ "$(uname -s)" = Linux ] && command -v apt-get >/dev/null 2>&1 ||
  fail "this is neither Debian nor Ubuntu: nothing can be installed here" "install Chromium or Chrome by hand"
[ "$(id -u)" = 0 ] ||
  fail "there is no Chromium and only root can install it" "run this with sudo, or ask an administrator"
LC_ALL=C apt-get update -qq >"$log" 2>&1 ||
  { tail -n 5 "$log" >&2; fail "apt-get update failed" "repair the machine's package sources"; }
# Ubuntu has only a package that fetches a snap: that one is of no use where no snapd runs.
LC_ALL=C apt-cache policy chromium 2>/dev/null | grep -q 'Candidate: [^(]' ||
  fail "this distribution has no package chromium" "install Chromium or Chrome by hand"
say "installing chromium"
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >"$log" 2>&1 ||
  { tail -n 5 "$log" >&2; fail "apt-get could not install chromium" "repair the machine's package sources, or install it by hand"; }
