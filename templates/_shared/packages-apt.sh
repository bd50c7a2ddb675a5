# What apt would install in steps that follow each other: packages-apt.sh NAME... [-- NAME...]...
# Prints "@@" and what is installed already (here nothing), then for each step "@@" and, of all steps so far, a line
# `name version` for each package. Without names: what the image has.
set -eu
echo @@
if [ $# = 0 ]; then
  exec dpkg-query -W -f '${Package} ${Version}\n'
fi
apt-get update -qq >&2
names=
for word in "$@" --; do
  if [ "$word" != -- ]; then
    names="$names $word"
    continue
  fi
  # Into a file: a pipe would hide that it failed.
  # shellcheck disable=SC2086 # a list of names, which hold no spaces
  apt-get install -s --no-install-recommends $names >/tmp/simulated
  echo @@
  sed -n 's/^Inst \([^ :]*\)[^ ]* .*(\([^ ]*\) .*/\1 \2/p' /tmp/simulated
done
