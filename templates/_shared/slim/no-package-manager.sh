#!/bin/sh
# Stands where a package manager is looked for.
echo "this image is slim: it has no package manager. Name the package in the runtime's spec (packages:), or say" \
  "slim: false there" >&2
exit 127
