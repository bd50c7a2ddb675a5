# A handler whose file takes 3 seconds to load.
sleep 3
. "${LAMBDA_TASK_ROOT:-/var/task}/probe.sh"
