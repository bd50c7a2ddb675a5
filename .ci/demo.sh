#!/bin/sh
# `make demo`: from a spec to a verified image that answers a web request. Talk goes to standard error as it happens.
set -eu
cd "$(dirname "$0")/.."

tool=.venv/bin/runtimebuilder
name=php-82-fpm
result=$(mktemp)
trap 'rm -f "$result"' EXIT INT TERM
headline() { printf '\n== %s\n' "$*"; }

headline "1. build $name from runtimes/php.yaml"
"$tool" build "$name" --base auto --json >"$result"

image=$(.venv/bin/python -c 'import json, sys; print(json.load(sys.stdin)["images"][0]["tags"][0])' <"$result")

headline "2. verify it in a box with Lambda's limits"
"$tool" verify "$image"

headline "3. one web request: GET /?name=Lambda, answered by docs/examples/php-hello"
"$tool" invoke "$image" --code docs/examples/php-hello --http 'GET /?name=Lambda'

headline "The image"
.venv/bin/python - "$result" <<'PY'
import json, sys

(image,) = json.load(open(sys.argv[1]))["images"]
print(f"  name    {image['tags'][0]}")
print(f"  size    {image['size'] / 1e6:.0f} MB")
print(f"  digest  {image['id']}")
print(f"  base    {image['base']}" + (f" (instead of {image['base_substituted_for']})" if image["base_substituted_for"] else ""))
PY

headline "Try next"
cat <<EOF
  $tool list
  $tool render $name
  $tool build 'php-82*' --base auto
  $tool verify $image --case RT-060 -v
  $tool invoke $image --code docs/examples/php-hello --http 'GET /?name=you'
  $tool doctor
EOF
