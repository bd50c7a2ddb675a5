#!/bin/sh
# Compiles one extension of PHP in the stage that is thrown away:
#
#   extension.sh NAME URL SHA256 PHPIZE PHP_CONFIG [OPTION OF CONFIGURE]...
#
# What is left for the image is /built, with the module where PHP looks for it.
set -eu
. /build/fetch.sh

name=$1 url=$2 sha256=$3 phpize=$4 php_config=$5
shift 5

# Always the same folder: its name may end up in what is compiled.
mkdir /tmp/compiling
trap 'rm -rf /tmp/compiling' EXIT
cd /tmp/compiling

fetch "$name" "$url" "$sha256"
# The module's folder is the topmost that phpize can work in; PECL's archives have a package.xml beside it.
config=$(
  find source -maxdepth 4 -name config.m4 -o -maxdepth 4 -name config0.m4 |
    awk -F / '{ print NF, $0 }' | sort -k 1n -k 2 | head -n 1 | cut -d ' ' -f 2
)
[ -n "$config" ] || fail "the archive has no config.m4: it is no extension of PHP"
cd "$(dirname "$config")"

"$phpize"
./configure --with-php-config="$php_config" "$@"
make -j "$(nproc)"

folder=/built$("$php_config" --extension-dir)
mkdir -p "$folder"
[ -f "modules/$name.so" ] || fail "this made no modules/$name.so, but: $(ls modules)"
strip --strip-unneeded "modules/$name.so"
install -m 755 "modules/$name.so" "$folder/$name.so"
# Two builds of one archive give the same layer.
find /built -exec touch -h -d @0 {} +
