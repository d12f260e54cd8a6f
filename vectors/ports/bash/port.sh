#!/usr/bin/env bash
#
# Signs and verifies HTTP requests: HTTP HMAC 1.0 (goTom) and keyed timestamps (GoGrid). Bash 4.4 or later with openssl,
# od, tr, cmp and sort; curl to send. All files of this folder belong together, but for json.sh and conform.sh, which are
# for the conformance protocol.
#
#     UNDERSIGN_SECRET=… ./port.sh call KEY_ID METHOD URL [FILE]    sends a request to goTom, its body from FILE or - (standard input)
#     ./port.sh                                                     speaks the conformance protocol
#
# Secrets never become arguments of a process, where others could read them. Bash strings hold no NUL, so bodies live in files
# and secrets in hex; elsewhere a NUL becomes \x01, which is refused in the same places.
#
# SPDX-License-Identifier: MIT

set -u
export LC_ALL=C # bytes, not characters: for lengths, case, ranges and sorting
umask 077
tmp=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 1 # in memory where that is possible
trap 'rm -rf "$tmp"' EXIT

for part in request hashes dates header_hmac keyed_timestamp json conform; do
  source "$(dirname -- "${BASH_SOURCE[0]}")/$part.sh" || exit
done

call() { # KEY_ID METHOD URL [FILE]
  local i secret arguments
  gotom_defaults
  method=$2 arguments=(--request "$2")
  [[ $3 =~ ^(https?://[^/?#@]+)([^#]*) ]] || { echo "write METHOD https://host/path" >&2 && exit 2; }
  origin=${BASH_REMATCH[1]} target=${BASH_REMATCH[2]}
  [[ $target == /* ]] || target=/$target
  if [[ -n ${4-} ]]; then cat -- "$4" >"$body"; else : >"$body"; fi
  secret=$(printf %s "${UNDERSIGN_SECRET:?}" | to_hex)
  sign header "$1" "$secret" "$(printf '%(%s)T' -1)" '' || { echo "this request cannot be signed" >&2 && exit 1; }
  for i in "${!names[@]}"; do printf '%s: %s\n' "${names[i]}" "${values[i]}"; done >"$tmp/headers"
  [[ $method != HEAD ]] || arguments=(--head)
  [[ ! -s $body ]] || arguments+=(--data-binary "@$body")
  # Neither [] {} in the URL nor .. in its path mean anything to curl then, and no redirect takes the signature along.
  curl --silent --show-error --include --globoff --path-as-is "${arguments[@]}" --header "@$tmp/headers" "$origin$target"
}

if [[ ${1-} == call ]]; then
  call "${@:2}"
else
  serve
fi
