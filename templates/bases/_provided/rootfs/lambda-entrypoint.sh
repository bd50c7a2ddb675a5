#!/bin/sh
# The entrypoint contract of AWS's base images: the handler is the only argument; on Lambda the runtime is started
# directly, elsewhere through the Runtime Interface Emulator.

if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" 1>&2
  exit 142
fi
export _HANDLER="$1"

if [ -n "${AWS_LAMBDA_RUNTIME_API:-}" ]; then
  exec /var/runtime/bootstrap
fi
if [ ! -x /usr/local/bin/aws-lambda-rie ]; then
  echo "this image carries no Runtime Interface Emulator: run it with \`runtimebuilder invoke\`, or put one at" \
    "/usr/local/bin/aws-lambda-rie" 1>&2
  exit 1
fi
exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
