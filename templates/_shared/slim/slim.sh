#!/bin/sh
# Collects the files of a slim image in a stage that is thrown away:
#
#   slim.sh OUT BEFORE [--less LIST] [--whole] [--package NAME]... [--leave PACKAGE]... [--without EXTENSION]...
#
# Into the folder OUT go: what stands in keep.txt; what has come since BEFORE (a list of paths); all of each --package;
# programs that scripts name in their first line; and the shared libraries that any of these needs. Of what has come,
# libraries that nothing needs stay out, unless --whole. --leave: nothing of that package. --without: that extension of
# PHP. --less: without the paths in LIST, which an earlier layer has. What is in OUT stands in OUT.list; the packages
# are told in /var/lib/dpkg/status.d, where scanners look (Google's distroless images began with it).
set -eu
LC_ALL=C
export LC_ALL

here=$(dirname "$0")
out=$1 before=$2
shift 2
less=/dev/null whole='' packages='' leave='' without=''
while [ $# != 0 ]; do
  case $1 in
    --whole) whole=yes && shift && continue ;;
    --less) less=$2 ;;
    --package) packages="$packages ${2%%=*}" ;; # NAME, or NAME=VERSION
    --leave) leave="$leave $2" ;;
    --without) without="$without $2" ;;
    *) echo "slim.sh: unknown word $1" >&2 && exit 2 ;;
  esac
  shift 2
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
info=/var/lib/dpkg/info

# On a merged system /lib is /usr/lib, and dpkg knows some files by the one name and some by the other.
merged() {
  if [ -L /lib ]; then sed -E 's,^/(bin|sbin|lib[0-9a-z]*)/,/usr/\1/,'; else cat; fi
}

# Of one of a package's names: its list of files. dpkg keeps some by name and architecture.
files_of() {
  for file in "$info/$1.list" "$info/$1:"*.list; do
    [ ! -f "$file" ] || merged <"$file"
  done
}

# The lines of a file that are no comments.
listed() {
  grep -v '^#' "$1"
}

everything() {
  find / -xdev -path "$out" -prune -o -path "$work" -prune -o -print
}

# --- what has come ---
everything | merged | sort -u >"$work/now"
merged <"$before" | sort -u >"$work/before"
comm -23 "$work/now" "$work/before" >"$work/new"
for package in $leave; do files_of "$package"; done | sort -u >"$work/left"
sort -u "$less" >"$work/less"
comm -23 "$work/new" "$work/left" | comm -23 - "$work/less" >"$work/candidates"

expressions=$(listed "$here/drop.txt" | sed -e 's/[.]/\\./g' -e 's/?/./g' -e 's/\*/.*/g' -e 's/.*/-e ^&$/')
# shellcheck disable=SC2086 # words on purpose
grep -v $expressions "$work/candidates" >"$work/wanted" || :
for extension in $without; do
  grep -v -E "/([0-9]+-)?$extension\.(so|ini)\$" "$work/wanted" >"$work/rest" || :
  mv "$work/rest" "$work/wanted"
done
# Libraries lie directly in the loader's folders; what lies deeper is loaded by name.
library='^/usr/lib/([^/]*-linux-gnu[^/]*/)?lib[^/]*\.so[^/]*$'
if [ -z "$whole" ]; then
  grep -v -E "$library" "$work/wanted" >"$work/rest" || :
  mv "$work/rest" "$work/wanted"
fi

# --- what is asked for ---
# Of a package that is named: all but documentation.
for package in $packages; do
  [ -n "$(files_of "$package")" ] || continue # a virtual one: those that stand for it have come
  # shellcheck disable=SC2086 # as above
  files_of "$package" | grep -v -e '^/\.$' $expressions || :
done >"$work/whole"
cat "$work/whole" >>"$work/wanted"
if [ "$less" = /dev/null ]; then
  listed "$here/keep.txt" | while read -r pattern; do
    case $pattern in
      */\*\*) [ ! -d "${pattern%/\*\*}" ] || find "${pattern%/\*\*}" && continue ;;
    esac
    for path in $pattern; do
      if [ -e "$path" ] || [ -L "$path" ]; then echo "$path"; fi
    done
  done >"$work/kept"
  merged <"$work/kept" >>"$work/wanted"
else
  # Has changed with what was installed now.
  printf '%s\n' /etc/group /etc/passwd /etc/ld.so.cache >"$work/again"
  cat "$work/again" >>"$work/wanted"
fi

# --- what that needs ---
loader=$(ls /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.* 2>/dev/null | head -n 1)
# Of a list of paths: the libraries of programs and modules, and what interprets scripts.
needs() {
  while read -r path; do
    [ -f "$path" ] && [ ! -L "$path" ] || continue
    case $path in
      */gconv/*) ;; # need but each other
      *.so | *.so.*) echo "$path" ;;
      *) [ ! -x "$path" ] || echo "$path" ;;
    esac
  done >"$work/programs"
  # An ELF file begins with 0x7f, E, L, F. One that needs nothing is refused by the loader.
  xargs -r -d '\n' -a "$work/programs" grep -l -a -m 1 -e '^.ELF' >"$work/elf" || :
  while read -r path; do
    echo "of $path"
    "$loader" --list "$path" 2>/dev/null || :
  done <"$work/elf" >"$work/listed"
  awk '/^of / { of = $2 } /not found/ { print of " needs what is not there: " $1 }' "$work/listed" >>"$work/missing"
  sed -n -E -e 's,.* => (/[^ ]+) .*,\1,p' -e 's,^\t(/[^ ]+) \(.*,\1,p' "$work/listed" | sort -u | merged
  sort "$work/elf" | comm -23 "$work/programs" - | while read -r path; do
    interpreter=$(head -n 1 "$path" | tr -d '\0' | sed -n -E 's/^#! *([^ ]+) *.*/\1/p')
    case $interpreter in */perl | */perl5*) files_of perl-base ;; esac
    [ -z "$interpreter" ] || [ ! -e "$interpreter" ] || echo "$interpreter"
  done | sort -u | merged
}
# A path, and what it leads to when it is a link.
followed() {
  while read -r path; do
    while [ -L "$path" ]; do
      echo "$path"
      target=$(readlink "$path")
      case $target in /*) path=$target ;; *) path=$(dirname "$path")/$target ;; esac
    done
    echo "$path"
  done | xargs -r -d '\n' realpath -s -- | merged | sort -u
}

for folder in /contents /built /built-fpm; do
  [ ! -d "$folder" ] || find "$folder" -type f
done >"$work/elsewhere"
sort -u "$work/wanted" | grep '^/' >"$work/all"
# /usr/bin/php is a link to /etc/alternatives/php, and so on.
followed <"$work/all" | sort -u - "$work/all" >"$work/reached"
sort -u "$work/reached" "$work/elsewhere" >"$work/fresh"
while [ -s "$work/fresh" ]; do
  needs <"$work/fresh" | followed >"$work/needed"
  comm -23 "$work/needed" "$work/reached" >"$work/fresh"
  sort -u "$work/fresh" "$work/reached" >"$work/more"
  mv "$work/more" "$work/reached"
done
if [ -s "$work/missing" ]; then
  sort -u "$work/missing" >&2
  exit 1
fi

# --- packages: told, with their licences ---
cat "$info"/*.list | merged | sort -u >"$work/known"
for list in "$info"/*.list; do
  name=$(basename "$list" .list)
  merged <"$list" | sed "s|\$|\t${name%%:*}|"
done | sort -t '	' -k 1,1 >"$work/owners"
# Folders, and links to them, belong to many; a package is here when a file of it is.
while read -r path; do
  [ -d "$path" ] || echo "$path"
done <"$work/reached" | sort >"$work/plain"
join -t '	' -o 2.2 "$work/plain" "$work/owners" | sort -u >"$work/packages"
while read -r package; do
  licence=/usr/share/doc/$package/copyright
  [ ! -e "$licence" ] || echo "$licence"
done <"$work/packages" | followed >>"$work/reached"

# --- into OUT ---
sort -u "$work/reached" >"$work/sorted"
{
  comm -23 "$work/sorted" "$work/less"
  cat "$work/whole" "$work/again" 2>/dev/null || :
} | sort -u | while read -r path; do
  if [ -e "$path" ] || [ -L "$path" ]; then echo "$path"; fi
done >"$work/taken"
# With every folder above it, so that their modes come along.
awk '{ print; while (sub("/[^/]*$", "") && $0 != "") print }' "$work/taken" | sort -u >"$out.list"
mkdir -p "$out"
sed 's,^/,./,' "$out.list" | tar -C / -c --no-recursion --verbatim-files-from -T - | tar -C "$out" -x -p

mkdir -p "$out/var/lib/dpkg/status.d"
while read -r package; do
  file=$out/var/lib/dpkg/status.d/$package
  grep -qxF "/var/lib/dpkg/status.d/$package" "$work/less" && continue
  dpkg-query -s "$package" >"$file"
  echo "/var/lib/dpkg/status.d/$package" >>"$out.list"
done <"$work/packages"

# busybox stands for every tool that the image does not have itself.
if [ "$less" = /dev/null ] && [ -x "$out/usr/bin/busybox" ]; then
  for tool in $(busybox --list); do
    case $tool in
      # What manages a machine, not files.
      ar | dpkg | dpkg-deb | rpm | rpm2cpio | init | linuxrc | halt | poweroff | reboot | su | login | sulogin) ;;
      *) [ -e "$out/usr/bin/$tool" ] || [ -L "$out/usr/bin/$tool" ] || ln -s busybox "$out/usr/bin/$tool" ;;
    esac
  done
  install -m 755 "$here/no-package-manager.sh" "$out/usr/bin/apt-get"
  ln -s apt-get "$out/usr/bin/apt"
fi
# The base has C.utf8 twice.
if [ -d "$out/usr/lib/locale/C.utf8" ] && [ -d "$out/usr/lib/locale/en_US.utf8" ]; then
  rm -r "$out/usr/lib/locale/en_US.utf8"
  ln -s C.utf8 "$out/usr/lib/locale/en_US.utf8"
fi
# Packages of one source have one licence text. A runtime that adds files alone has none of its own.
[ ! -d "$out/usr/share/doc" ] || (
  cd "$out/usr/share/doc" && find . -name copyright -type f -exec sha256sum {} + | sort |
    while read -r sum path; do
      if [ "$sum" = "${first:-}" ]; then ln -sf "../${kept#./}" "$path"; else first=$sum kept=$path; fi
    done
)
# Two builds of the same packages give the same layer.
find "$out" -exec touch -h -d '1980-01-01 00:00:00 UTC' {} +
