# HTTP HMAC 1.0: Authorization: <provider> <key id>:base64(HMAC(secret, string to sign)). SPDX-License-Identifier: MIT

gotom_defaults() {
  provider=gotom_app_api algorithm=sha1 signed_headers=() drop_blank_headers=false content_type=application/json
  date_header=Date date_precision=seconds multipart_as_empty=false past=1800 future=1800
}

cover_headers() { # REASON: the headers that are signed, each there once and with a clean value, in `covered`
  local i name
  declare -gA covered=()
  local signed=(content-type "${date_header,,}" "${signed_headers[@],,}")
  for i in "${!names[@]}"; do
    name=${names[i],,}
    if contains "$name" "${signed[@]}"; then
      trim "${values[i]}"
      if [[ -n ${covered[$name]+set} || ! $REPLY =~ $clean ]]; then refuse "$1" || return; fi
      covered[$name]=$REPLY
    elif contains "${name//_/-}" "${signed[@]//_/-}"; then
      refuse "$1" || return # CGI gives both one name, so this one would stand in for the signed one
    fi
  done
}

string_to_sign() { # of the request whose headers are in `covered`
  local file=$body name lines=() done=()
  [[ $multipart_as_empty == true && ${method^^} == POST ]] && has_media_type multipart/form-data && file=/dev/null
  for name in "${signed_headers[@]}"; do
    contains "$name" "${done[@]}" && continue
    done+=("$name") name=${name,,}
    [[ -n ${covered[$name]+set} ]] || continue
    [[ $drop_blank_headers == true && ${covered[$name]} =~ ^0?$ ]] || lines+=("$name: ${covered[$name]}")
  done
  ((${#lines[@]} < 2)) || mapfile -t lines < <(printf '%s\n' "${lines[@]}" | sort)
  origin_form "$target"
  local md5 custom path=$REPLY content_type_sent=${covered[content-type]} IFS=$'\n'
  md5=$(openssl dgst -md5 -r "$file") custom="${lines[*]}"
  lines=("${method^^}" "${md5%% *}" "${content_type_sent,,}" "${covered[${date_header,,}]}" "$custom" "$path")
  string="${lines[*]}" # joined by newlines
}

sign_header() { # KEY_ID SECRET_IN_HEX SECONDS MILLISECONDS
  local found escaped=${1//\\/\\\\}
  [[ $date_precision == milliseconds ]] || set -- "$1" "$2" "$3" ''
  date_text "$3" "$4" || return
  set_header "$date_header" "$REPLY"
  header_values content-type
  ((${#found[@]})) || set_header Content-Type "$content_type"
  header_values host
  if contains host "${signed_headers[@],,}" && ! ((${#found[@]})); then
    [[ $origin == *://* ]] || refuse cannot_sign || return
    set_header Host "${origin#*://}"
  fi
  cover_headers cannot_sign || return
  string_to_sign
  hmac "$algorithm" "$2" "$string"
  set_header Authorization "$provider ${escaped//:/\\:}:$REPLY"
  signed_target=$target
}

verify_header() { # SECONDS: sets key_id
  local found value claimed='' letters padding at age sent secret escaped
  header_values authorization
  for value in "${found[@]}"; do [[ $value == "$provider" || $value == "$provider "* ]] && claimed=1; done
  [[ $claimed ]] || refuse missing || return
  letters=$(((size[$algorithm] * 4 + 2) / 3)) padding=$(((3 - size[$algorithm] % 3) % 3))
  local credentials="^(([^\\\\:]|\\\\[\\\\:])+):([A-Za-z0-9+/]{$letters}={$padding})$"
  [[ ${#found[@]} == 1 && ${found[0]:${#provider}+1} =~ $credentials ]] || refuse malformed || return
  escaped=${BASH_REMATCH[1]} sent=${BASH_REMATCH[3]} key_id=
  while [[ $escaped == *\\* ]]; do # a backslash, and what it escapes
    key_id+=${escaped%%\\*} escaped=${escaped#*\\}
    key_id+=${escaped:0:1} escaped=${escaped:1}
  done
  key_id+=$escaped
  [[ $key_id =~ $utf8 && ! $key_id =~ $control_but_tab ]] || refuse malformed || return
  cover_headers malformed || return
  date_seconds "${covered[${date_header,,}]-}" || refuse malformed || return
  at=$REPLY age=$(($1 - REPLY))
  [[ -n ${covered[content-type]+set} && $method == "${method^^}" ]] || refuse malformed || return
  check_request "$target" malformed || return
  ((age <= past)) || refuse stale || return
  ((-age <= future)) || refuse future || return
  secrets_of "$key_id" || return
  string_to_sign
  for secret in "${secrets[@]}"; do
    hmac "$algorithm" "$secret" "$string"
    [[ $REPLY == "$sent" ]] && return
  done
  refuse mismatch
}
