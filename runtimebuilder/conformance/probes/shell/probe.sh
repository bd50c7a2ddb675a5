# The shell probe: obeys commands {"do": ...}; whatever is not a command comes back as it is. A handler is a function
# that is given the event as its argument and prints its result. It is installed into the images of other people: any
# POSIX shell, sed and the ordinary tools. Commands are compact JSON, `do` first, as the suite writes them.

handler() {
  probe_event=${1#"${1%%[![:space:]]*}"}
  case $probe_event in
    '{"do":"'*) probe_rest=${probe_event#'{"do":"'} ;;
    *) printf '%s' "$1"; return ;;
  esac
  case ${probe_rest%%\"*} in
    echo)
      probe_rest=${probe_rest#*'"value":'}
      printf '%s' "${probe_rest%\}*}" ;;
    context)
      sleep "$(probe_number seconds 0)"
      printf '{"trace_id":%s,"pid":%s' "$(probe_variable _X_AMZN_TRACE_ID)" $$
      case $probe_rest in *'"value":'*) printf ',"value":%s' "${probe_rest#*'"value":'}" ;; *) printf '}' ;; esac ;;
    raise)
      probe_whole probe_text message
      probe_repeat "$probe_value" "$(probe_number times 1)" >&2
      return 1 ;;
    recurse) probe_recurse ;;
    kill)
      probe_signal=$(probe_text signal)
      # Of this subshell, whose number $$ is not.
      sh -c 'kill -s "$0" "$PPID"' "${probe_signal#SIG}"
      sleep 1 ;;
    hang | sleep) sleep "$(probe_number seconds 0)"; printf null ;;
    allocate)
      probe_block=$(probe_many "$(($(probe_number mb 0) * 1024 * 1024))")
      printf '%s' ${#probe_block} ;;
    env) probe_environment probe_variable ;;
    child-env) probe_environment probe_child_variable ;;
    child-allocate)
      probe_code=0
      sh -c 'block=$(head -c "$0" /dev/zero | tr "\\0" x); test ${#block} = "$0"' \
        "$(($(probe_number mb 0) * 1024 * 1024))" >/dev/null 2>&1 || probe_code=$?
      printf '%s' "$probe_code" ;;
    spawn)
      probe_left=$(probe_number count 0) probe_ended=0
      while [ "$probe_left" -gt 0 ]; do
        probe_code=0
        sh -c 'exit 3' || probe_code=$?
        [ "$probe_code" != 3 ] || probe_ended=$((probe_ended + 1))
        probe_left=$((probe_left - 1))
      done
      printf '%s' "$probe_ended" ;;
    daemon)
      sleep "$(probe_number seconds 0)" >/dev/null 2>&1 &
      printf '%s' $! ;;
    background)
      (sleep "$(probe_number seconds 0)"; printf done >"$(probe_text path)") >/dev/null 2>&1 &
      printf null ;;
    clock)
      probe_zone=$(date +%z | sed 's/^\(.\)\(..\)\(..\)$/\1((1\2-100)*3600+(1\3-100)*60)/')
      printf '{"utc_offset":%s}' $(($probe_zone)) ;;
    cwd) probe_quote "$(pwd)" ;;
    whoami) printf '{"uid":%s,"gid":%s,"home":%s}' "$(id -u)" "$(id -g)" "$(probe_variable HOME)" ;;
    write)
      probe_path=$(probe_text path)
      # The shell itself says on standard error what it cannot write.
      probe_whole probe_text text
      probe_problem=$({ probe_repeat "$probe_value" "$(probe_number times 1)" >"$probe_path"; } 2>&1) &&
        printf '{"ok":true}' || printf '{"ok":false,"error":%s}' "$(probe_quote "$probe_problem")" ;;
    read)
      probe_path=$(probe_text path)
      if [ -r "$probe_path" ]; then probe_whole cat "$probe_path"; probe_quote "$probe_value"; else printf null; fi ;;
    size) printf '"%s"' "$(probe_many "$(probe_number bytes 0)")" ;;
    bytes) printf '\377\376\200' ;;
    nothing) : ;;
    *) printf '{"unsupported":true}' ;;
  esac
}

# The text of a field of the command.
probe_text() {
  probe_raw=$(printf '%s' "$probe_event" |
    sed -n 's/.*"'"$1"'":"\(\([^"\\]\|\\.\)*\)".*/\1/p' |
    sed -e 's/\\"/"/g' -e 's/\\u000\([0-7]\)/\\000\1/g' -e 's/\\u001\([0-7]\)/\\002\1/g')
  printf '%b' "$probe_raw"
}

# What a command prints in probe_value, the line breaks at its end included.
probe_whole() {
  probe_value=$("$@"; printf .)
  probe_value=${probe_value%.}
}

# The number in a field of the command, or the second argument.
probe_number() {
  probe_raw=$(printf '%s' "$probe_event" | sed -n 's/.*"'"$1"'":\([0-9.]*\).*/\1/p')
  printf '%s' "${probe_raw:-$2}"
}

# A text as JSON.
probe_quote() {
  probe_raw=$(printf '%s.' "$1" | sed -e ':all' -e '$!{N;ball' -e '}' -e 's/\\/\\\\/g' -e 's/"/\\"/g' \
    -e "s/$(printf '\t')/\\\\t/g" -e 's/\n/\\n/g')
  printf '"%s"' "${probe_raw%.}"
}

# A variable of this shell as JSON, null when it is not set.
probe_variable() {
  eval "probe_set=\${$1+set} probe_value=\${$1-}"
  if [ -n "$probe_set" ]; then probe_quote "$probe_value"; else printf null; fi
}

# The same as a child process sees it.
probe_child_variable() {
  probe_value=$(printenv "$1" && printf .) || { printf null; return; }
  probe_value=${probe_value%.}
  probe_quote "${probe_value%?}"
}

# An object of the wanted variables that are set, by the function that tells one.
probe_environment() {
  probe_names=$(printf '%s' "$probe_event" | sed -n 's/.*"names":\[\([^]]*\)\].*/\1/p' | tr '",' '  ')
  case $probe_event in
    *'"names":'*) ;;
    *) probe_names=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p') ;;
  esac
  probe_comma=
  printf '{'
  for probe_name in $probe_names; do
    probe_told=$("$1" "$probe_name")
    [ "$probe_told" = null ] || { printf '%s"%s":%s' "$probe_comma" "$probe_name" "$probe_told"; probe_comma=,; }
  done
  printf '}'
}

probe_repeat() {
  probe_left=$2
  while [ "$probe_left" -gt 0 ]; do
    printf '%s' "$1" || return 1
    probe_left=$((probe_left - 1))
  done
}

probe_many() { head -c "$1" /dev/zero | tr '\0' x; }

probe_recurse() { probe_recurse; }
