# send METHOD URL BODY HEADER…: prints the request that curl would send, as JSON.
send() {
  printf '{"method": "%s", "url": "%s", "body": "%s", "headers": [' "$1" "$2" "$(printf '%s' "$3" | base64 -w0)"
  shift 3
  local comma=''
  for header in "$@"; do
    printf '%s["%s", "%s"]' "$comma" "${header%%: *}" "$(printf '%s' "${header#*: }" | sed 's/\\/\\\\/g; s/"/\\"/g')"
    comma=', '
  done
  printf ']}\n'
}
