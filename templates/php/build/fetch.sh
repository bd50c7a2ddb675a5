# Sourced by the scripts beside it.

# fetch WHAT URL SHA256: the archive, unpacked into ./source; nothing of it when its checksum is another one.
fetch() {
  what=$1
  curl -fsSL --proto =http,https --connect-timeout 30 --retry 3 -o archive "$2" || fail "$2 cannot be fetched"
  found=$(sha256sum archive | cut -d ' ' -f 1)
  [ "$found" = "$3" ] || fail "the archive is another one: its checksum is $found, the spec says $3"
  mkdir source
  tar -xf archive -C source --no-same-owner
}

fail() {
  echo "$what: $*" >&2
  exit 1
}
