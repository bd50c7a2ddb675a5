# A handler that does not parse.
handler() { printf '%s' "$1"
