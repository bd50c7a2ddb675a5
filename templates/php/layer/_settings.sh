# The layer's own settings come first, as those of an image do.
case ${PHP_INI_SCAN_DIR-:} in :*) export PHP_INI_SCAN_DIR="/opt/php/ini${PHP_INI_SCAN_DIR-}" ;; esac
export PHPRC="${PHPRC-/opt/php/etc}" GCONV_PATH="${GCONV_PATH-/opt/php/gconv}"
[ ! -e /opt/php/ssl/openssl.cnf ] || export OPENSSL_CONF="${OPENSSL_CONF-/opt/php/ssl/openssl.cnf}"
