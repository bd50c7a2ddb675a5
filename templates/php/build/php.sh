#!/bin/sh
# Compiles PHP itself in the stage that is thrown away:
#
#   php.sh VERSION URL SHA256 PREFIX [OPTION OF CONFIGURE]...
#
# What is left for the images is /built, and for those with PHP-FPM /built-fpm as well. The stage keeps phpize and
# php-config, for extensions.
set -eu
. /build/fetch.sh

version=$1 url=$2 sha256=$3 prefix=$4
shift 4

# Always the same folder: its name may end up in what is compiled.
mkdir /tmp/compiling
trap 'rm -rf /tmp/compiling' EXIT
cd /tmp/compiling

fetch "PHP $version" "$url" "$sha256"
cd source/*/ 2>/dev/null && [ -x configure ] ||
  fail "the archive has no configure: it is no release of PHP"
found=$(sed -n 's/^#define PHP_VERSION "\(.*\)"/\1/p' main/php_version.h)
[ "$found" = "$version" ] || fail "the archive is another release, $found"

# PHP keeps the date of its compilation: that of the release, so that two builds of it are one.
SOURCE_DATE_EPOCH=$(stat -c %Y main/php_version.h)
export SOURCE_DATE_EPOCH

./configure \
  --prefix="$prefix" \
  --sysconfdir="$prefix/etc" \
  --with-config-file-path="$prefix/etc" \
  --with-config-file-scan-dir="$prefix/etc/conf.d" \
  "$@"
make -j "$(nproc)"
make install

mkdir -p "/built$prefix/bin" "/built-fpm$prefix/sbin"
strip -o "/built$prefix/bin/php" "$prefix/bin/php"
strip -o "/built-fpm$prefix/sbin/php-fpm" "$prefix/sbin/php-fpm"
folder=$("$prefix/bin/php-config" --extension-dir)
mkdir -p "/built$folder"
for module in "$folder"/*.so; do
  [ -f "$module" ] && strip --strip-unneeded -o "/built$module" "$module"
done
chmod -R go=rX,u+w /built /built-fpm
# Two builds of one archive give the same layer.
find /built /built-fpm -exec touch -h -d @0 {} +
