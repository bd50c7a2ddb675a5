# What a layer takes of an image, told: layer-parts.sh PHP [PHP-FPM]. Run in a container of the image, which may be slim.
# Prints a line `what TAB name TAB path` for each: loader, library, extension, ini, php.ini, gconv, certificates,
# openssl.
set -eu
tab=$(printf '\t')
say() { echo "$1$tab$2$tab$(readlink -f "$3")"; }

loader=$(ls /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.* 2>/dev/null | head -n 1)
"$loader" --help 2>&1 | grep -q -e --argv0 || { echo "its loader ($loader) knows no --argv0" >&2; exit 3; }
say loader "${loader##*/}" "$loader"

folder=$("$1" -r 'echo ini_get("extension_dir");' 2>/dev/null)
libraries() { "$loader" --list "$1" 2>/dev/null || :; }
for file in "$folder"/*.so; do
  [ ! -f "$file" ] || say extension "${file##*/}" "$file"
done
for file in "$@" "$folder"/*.so; do
  [ ! -f "$file" ] || libraries "$file"
done | while read -r _ arrow path _; do
  # A line is `NAME => PATH (ADDRESS)`; Amazon's image has no sed.
  if [ "$arrow" = "=>" ]; then echo "$path"; fi
done | sort -u | while read -r path; do
  case $path in
    /*) say library "${path##*/}" "$path" ;;
    *) echo "a library of PHP is not there: $path" >&2 && exit 1 ;;
  esac
done

"$1" -r 'foreach (explode(",", (string) php_ini_scanned_files()) as $file) { echo trim($file), "\n"; }
  echo "php.ini ", php_ini_loaded_file(), "\n";' 2>/dev/null | while read -r first second; do
  case $first in
    '' | /opt/* | /var/task/*) ;;
    php.ini) [ -z "$second" ] || say php.ini php.ini "$second" ;;
    *) say ini "${first##*/}" "$first" ;;
  esac
done
for file in /usr/lib*/gconv/* /usr/lib/*/gconv/* /usr/lib*/gconv/*/* /usr/lib/*/gconv/*/*; do
  case $file in *.cache) continue ;; esac
  [ ! -f "$file" ] || say gconv "${file#*/gconv/}" "$file"
done
for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
  [ ! -f "$file" ] || { say certificates cert.pem "$file"; break; }
done
for file in /etc/ssl/openssl.cnf /etc/pki/tls/openssl.cnf; do
  [ ! -f "$file" ] || { say openssl openssl.cnf "$file"; break; }
done
