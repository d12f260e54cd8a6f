# Keyed timestamp: sig = hex(hash(key id + secret + seconds)), a parameter beside the key id; the time is not sent.
# SPDX-License-Identifier: MIT

gogrid_defaults() {
  key_param=api_key sig_param=sig version_param=v version=1.5 versions=(1.{0..9}) algorithm=md5 placement=auto
  methods=(GET POST) allow_http=false past=600 future=600
}

unescape() { # NAME_OR_VALUE of a query or form: + is a space, an escape that is none stays
  local left=${1//+/ } byte
  REPLY=
  while [[ $left =~ ^([^%]*)%([0-9A-Fa-f]{2})?(.*)$ ]]; do
    left=${BASH_REMATCH[3]}
    case ${BASH_REMATCH[2]} in
      '') byte=% ;;
      00) byte=$'\x01' ;;
      *) printf -v byte "\\x${BASH_REMATCH[2]}" ;;
    esac
    REPLY+=${BASH_REMATCH[1]}$byte
  done
  REPLY+=$left
}

escape() { # TEXT: percent-encoded
  local i byte out=''
  for ((i = 0; i < ${#1}; i++)); do
    byte=${1:i:1}
    [[ $byte == [A-Za-z0-9._~-] ]] || { printf -v byte %d "'$byte" && printf -v byte %%%02X $((byte & 255)); }
    out+=$byte
  done
  REPLY=$out
}

own_fields() { # PREFIX ENCODED: the scheme's own parameters in PREFIX_names (decoded) and PREFIX_values (as they stand)
  local -n into_names=$1_names into_values=$1_values
  local part parts own=("$key_param" "$sig_param") place
  [[ -z $version_param ]] || own+=("$version_param")
  into_names=() into_values=()
  IFS='&' read -r -d '' -a parts < <(printf '%s&\0' "$2")
  for part in "${parts[@]}"; do
    unescape "${part%%=*}"
    contains "$REPLY" "${own[@]}" || continue
    [[ $part == *=* ]] || part=
    into_names+=("$REPLY") into_values+=("${part#*=}")
  done
}

find_fields() { # FORM_FILE: the scheme's own parameters, with the prefixes `query` and `form`
  local content=''
  origin_form "$target"
  [[ $REPLY == *\?* ]] || REPLY=?
  own_fields query "${REPLY#*\?}"
  ! has_media_type "$form_type" || content=$(tr '\0' '\1' <"$1" && printf .) # the dot keeps newlines at the end
  own_fields form "${content%.}"
}

is_secure() { [[ $allow_http == true || ${origin,,} == https://* ]]; }

is_accepted() { # VERSION
  local place
  contains "$1" "$version" "${versions[@]}"
}

with_fields() { # ENCODED (NAME VALUE)…: replaced in place or appended, all other bytes as they are
  local encoded=$1 name value left part changed replaced
  shift
  while (($#)); do
    name=$1 changed= replaced=
    escape "$2"
    shift 2
    value=$REPLY left=$encoded'&'
    while [[ $left ]]; do
      part=${left%%&*} left=${left#*&}
      unescape "${part%%=*}"
      [[ $REPLY == "$name" ]] && part="${part%%=*}=$value" replaced=1
      changed+="&$part"
    done
    if [[ $replaced ]]; then
      encoded=${changed#&}
    else
      escape "$name"
      [[ -z $encoded || $encoded == *'&' ]] || encoded+='&'
      encoded+="$REPLY=$value"
    fi
  done
  REPLY=$encoded
}

sign_parameters() { # KEY_ID SECRET_IN_HEX SECONDS
  local found where=query form='' place here there raw fields query=''
  [[ $1 != *$'\t'* ]] || refuse cannot_sign || return
  [[ -z $origin ]] || is_secure || refuse cannot_sign || return
  contains "${method^^}" "${methods[@]}" || refuse cannot_sign || return
  [[ ${method^^} != GET ]] && has_media_type "$form_type" && form=1
  if [[ $placement == form && -z $form ]]; then
    header_values content-type
    [[ ${#found[@]} == 0 && ! -s $body && ${method^^} != GET ]] || refuse cannot_sign || return
    set_header Content-Type "$form_type"
    form=1
  fi
  find_fields "$body"
  here=("${query_names[@]}") there=("${form_names[@]}") raw=("${query_values[@]}")
  if [[ $form && $placement != query ]]; then
    where=form here=("${form_names[@]}") there=("${query_names[@]}") raw=("${form_values[@]}")
  fi
  ((!${#there[@]})) || refuse cannot_sign || return
  ! is_twice "${here[@]}" || refuse cannot_sign || return
  signatures "$1" "$2" "$3" "$3"
  fields=("$key_param" "$1" "$sig_param" "$REPLY")
  if [[ $version_param ]] && contains "$version_param" "${here[@]}"; then
    unescape "${raw[place]}"
    is_accepted "$REPLY" || refuse cannot_sign || return
  elif [[ $version_param ]]; then
    fields+=("$version_param" "$version")
  fi
  signed_target=$target string=$1'\0'$3 # the secret goes where the NUL stands
  if [[ $where == query ]]; then
    patch_query=("${fields[@]}")
    [[ $target != *\?* ]] || query=${target#*\?}
    with_fields "$query" "${fields[@]}"
    signed_target="${target%%\?*}?$REPLY"
  else
    tr '\0' '\1' <"$body" | cmp -s - "$body" || refuse cannot_sign || return # a NUL, which would be lost here
    patch_form=("${fields[@]}") REPLY=$(cat "$body" && printf .)
    with_fields "${REPLY%.}" "${fields[@]}"
    signed_body=$tmp/signed
    printf %s "$REPLY" >"$signed_body"
  fi
}

signatures() { # KEY_ID SECRET_IN_HEX FIRST LAST: for each second, in one process; from files, which hold the secret until the end
  local prefix second files=()
  prefix=$(printf %s "$1" | to_hex)
  escapes "$prefix$2"
  for ((second = $3; second <= $4; second++)); do
    printf -- "$REPLY$second" >"$tmp/$((second - $3))"
    files+=("$tmp/$((second - $3))")
  done
  REPLY=$(openssl dgst "-$algorithm" -r "${files[@]}")
  (($3 != $4)) || REPLY=${REPLY%% *}
}

claim() { # FORM_FILE: sets key_id and sent, which is empty where nothing claims the request
  local all raw i place sig
  sent=
  find_fields "$1"
  all=("${query_names[@]}" "${form_names[@]}") raw=("${query_values[@]}" "${form_values[@]}")
  contains "$sig_param" "${all[@]}" || return 0
  sig=$place
  is_secure || refuse insecure || return
  check_request "$target" malformed || return
  contains "$method" "${methods[@]}" || refuse malformed || return
  ((!${#query_names[@]} || !${#form_names[@]})) || refuse malformed || return
  ! is_twice "${all[@]}" || refuse malformed || return
  for i in "${!raw[@]}"; do
    unescape "${raw[i]}"
    raw[i]=$REPLY
    [[ $REPLY =~ $utf8 ]] || refuse malformed || return
  done
  contains "$key_param" "${all[@]}" || refuse malformed || return
  key_id=${raw[place]}
  [[ $key_id && ! $key_id =~ $control ]] || refuse malformed || return
  sent=${raw[sig]}
  [[ $sent =~ ^[0-9a-f]{$((2 * size[$algorithm]))}$ ]] || refuse malformed || return
  [[ $version_param ]] || return 0
  contains "$version_param" "${all[@]}" || refuse malformed || return
  is_accepted "${raw[place]}" || refuse unsupported_version
}

verify_parameters() { # SECONDS: sets key_id
  local sent secret
  claim /dev/null || return # the head first, so that what is wrong with it is found before a body is read
  if has_media_type "$form_type"; then claim "$body" || return; fi
  [[ $sent ]] || refuse missing || return
  secrets_of "$key_id" || return
  for secret in "${secrets[@]}"; do
    signatures "$key_id" "$secret" "$1" "$1" # clocks agree more often than not, and the whole window takes its time
    [[ $REPLY == "$sent" ]] && return
    signatures "$key_id" "$secret" $(($1 - past)) $(($1 + future))
    [[ $'\n'$REPLY == *$'\n'"$sent "* || $REPLY == "$sent" ]] && return
  done
  refuse mismatch
}
