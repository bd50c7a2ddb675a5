#!/bin/sh
# Stand-in for the entrypoint of AWS's base images: one argument, the handler's name (cases IM-06 and IM-07).
if [ "$#" != 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" >&2
  exit 142
fi
_HANDLER=$1
export _HANDLER

runtime=/var/runtime/bootstrap
if [ "${AWS_LAMBDA_RUNTIME_API:-}" = "" ]; then
  exec /usr/local/bin/aws-lambda-rie "$runtime"
fi
exec "$runtime"
