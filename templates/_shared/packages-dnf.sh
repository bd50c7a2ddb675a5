# What dnf installs in steps that follow each other: packages-dnf.sh [NAME...] [-- NAME...]...
# Prints "@@" and what is installed already, then for each step "@@" and what is installed behind it, a line
# `name version bytes` for each package. microdnf knows no simulation: this is for a container that is thrown away.
set -eu
list() {
  echo @@
  # An epoch of 0 is none; gpg-pubkey are keys, not packages.
  rpm -qa --qf '%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE} %{SIZE}\n' | grep -v '^gpg-pubkey '
}
list
[ $# != 0 ] || exit 0
names=
for word in "$@" --; do
  if [ "$word" != -- ]; then
    names="$names $word"
    continue
  fi
  # shellcheck disable=SC2086 # a list of names, which hold no spaces
  [ -z "$names" ] || dnf install -y --setopt=install_weak_deps=0 --setopt=tsflags=nodocs $names >&2
  names=
  list
done
