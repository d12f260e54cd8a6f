# The request, and what all schemes need of it. SPDX-License-Identifier: MIT
#
# A function fails where it refuses, and `reason` says why. What it finds is in REPLY, or in the variables that it names.

form_type=application/x-www-form-urlencoded
token='^[!#$%&'\''*+.^_`|~0-9A-Za-z-]+$'
overrides=(x-http-method-override x-http-method x-method-override)
target_form='^/[!"$-~]*$'
control=$'[\x01-\x1f\x7f]'
control_but_tab=$'[\x01-\x08\x0a-\x1f\x7f]'
clean=$'^[ -~\x80-\xff]*$'
utf8=$'^([\x01-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]'
utf8+=$'|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*$'

# A request is in these: strings hold the bytes of the wire, $body names a file.
method='' target='' origin='' body=$tmp/body names=() values=()
# Signing sets these, of which those of the patch are names and values in turn.
patch_headers=() patch_query=() patch_form=() signed_target='' signed_body='' string=''
# Verifying sets these, and asks `secrets_of KEY_ID` for `secrets` in hex.
key_id='' reason='' secrets=()
REPLY=''

refuse() { # REASON
  reason=$1
  return 1
}

sign() { # KIND KEY_ID SECRET_IN_HEX SECONDS MILLISECONDS; the kind is `header` or `parameters`
  [[ $2 && $3 && $2 =~ $utf8 && ! $2 =~ $control_but_tab ]] || refuse cannot_sign || return
  origin_form "$target"
  check_request "$REPLY" cannot_sign && "sign_$1" "${@:2}"
}

verify() { # KIND SECONDS
  origin_form "$target"
  target=$REPLY
  "verify_$1" "$2"
}

trim() { # VALUE: without the spaces and tabs around it
  local value=${1#"${1%%[! $'\t']*}"}
  REPLY=${value%"${value##*[! $'\t']}"}
}

contains() { # ITEM LIST…: where it stands is in `place`
  local item=$1 other
  shift
  place=0
  for other; do
    [[ $item != "$other" ]] || return 0
    place=$((place + 1))
  done
  return 1
}

is_twice() { # LIST…: whether an item is
  local item place
  while (($#)); do
    item=$1
    shift
    ! contains "$item" "$@" || return 0
  done
  return 1
}

header_values() { # NAME: all values of the headers of that name (in lower case) in `found`
  local i
  found=()
  for i in "${!names[@]}"; do
    [[ ${names[i],,} == "$1" ]] || continue
    trim "${values[i]}"
    found+=("$REPLY")
  done
}

has_media_type() { # TYPE
  local value found
  header_values content-type
  for value in "${found[@]}"; do
    trim "${value%%;*}"
    [[ ${REPLY,,} == "$1" ]] && return 0
  done
  return 1
}

set_header() { # NAME VALUE: on the request, replacing all of that name, and in the patch
  local i
  patch_headers+=("$1" "$2")
  for i in "${!names[@]}"; do
    [[ ${names[i],,} == "${1,,}" ]] && unset 'names[i]' 'values[i]'
  done
  names+=("$1") values+=("$2")
}

origin_form() { # TARGET: path and query of one that has the absolute form
  REPLY=$1
  [[ $1 =~ ^[Hh][Tt][Tt][Pp][Ss]?://[^/?#]*(.*)$ ]] || return 0
  REPLY=${BASH_REMATCH[1]}
  [[ $REPLY == /* ]] || REPLY=/$REPLY
}

check_request() { # TARGET REASON: what no scheme signs or takes
  local name place
  [[ $method =~ $token && $1 =~ $target_form ]] || refuse "$2" || return
  [[ ${method^^} == POST ]] || return 0
  for name in "${names[@],,}"; do
    ! contains "${name//_/-}" "${overrides[@]}" || refuse "$2" || return
  done
}
