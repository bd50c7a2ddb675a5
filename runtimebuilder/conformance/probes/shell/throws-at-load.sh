# A handler whose file fails while it is loaded.
probe_left=${PROBE_TIMES:-1}
while [ "$probe_left" -gt 0 ]; do
  printf '%s' 'the probe fails while it is loaded' >&2
  probe_left=$((probe_left - 1))
done
return 1
