#!/usr/bin/env bash
#
# Signs and verifies HTTP requests: HTTP HMAC 1.0 (goTom) and keyed timestamps (GoGrid). Bash 4.4 or later with openssl,
# od, tr, cmp and sort; curl to send.
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

form_type=application/x-www-form-urlencoded
token='^[!#$%&'\''*+.^_`|~0-9A-Za-z-]+$'
target_form='^/[!"$-~]*$'
control=$'[\x01-\x1f\x7f]'
control_but_tab=$'[\x01-\x08\x0a-\x1f\x7f]'
clean=$'^[ -~\x80-\xff]*$'
utf8=$'^([\x01-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]'
utf8+=$'|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*$'
declare -A size=([md5]=16 [sha1]=20 [sha224]=28 [sha256]=32 [sha384]=48 [sha512]=64)

# A request is in these: strings hold the bytes of the wire, $body names a file.
method='' target='' origin='' body=$tmp/body names=() values=()
# Signing sets these.
patch_names=() patch_values=() query_pairs=() form_pairs=() signed_target='' signed_body='' string=''
reason='' REPLY=''

refuse() { # REASON
  reason=$1
  return 1
}

trim() { # VALUE: without the spaces and tabs around it
  local value=${1#"${1%%[! $'\t']*}"}
  REPLY=${value%"${value##*[! $'\t']}"}
}

contains() { # ITEM LIST…
  local item=$1 other
  shift
  for other; do [[ $item == "$other" ]] && return 0; done
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
  patch_names+=("$1") patch_values+=("$2")
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
  local name
  [[ $method =~ $token && $1 =~ $target_form ]] || refuse "$2" || return
  for name in "${names[@]}"; do
    name=${name,,}
    if [[ ${method^^} == POST && ${name//_/-} =~ ^x-(http-)?method(-override)?$ && ${name//_/-} != x-method ]]; then refuse "$2" || return; fi
  done
}

escapes() { # HEX: as \x escapes for printf
  local i
  REPLY=
  for ((i = 0; i < ${#1}; i += 2)); do REPLY+="\\x${1:i:2}"; done
}

to_hex() { od -An -v -tx1 | tr -d ' \n'; }

# HMAC by its definition, since `openssl dgst -hmac` takes the secret as an argument.
hmac() { # ALGORITHM SECRET_IN_HEX STRING: in base64
  local key=$2 block=64 inner= outer= i byte
  case $1 in sha384 | sha512) block=128 ;; esac
  if ((${#key} > 2 * block)); then
    escapes "$key"
    key=$(printf -- "$REPLY" | openssl dgst "-$1" -binary | to_hex)
  fi
  for ((i = 0; i < block; i++)); do
    byte=0x${key:2*i:2}
    ((2 * i < ${#key})) || byte=0
    printf -v inner '%s\\x%02x' "$inner" $((byte ^ 0x36))
    printf -v outer '%s\\x%02x' "$outer" $((byte ^ 0x5c))
  done
  REPLY=$({ printf -- "$inner"; printf %s "$3"; } | openssl dgst "-$1" -binary |
    { printf -- "$outer"; cat; } | openssl dgst "-$1" -binary | openssl base64 -A)
}

# Dates. Not `date`, which differs between systems and reads `now` and `sat`.

days() { # YEAR MONTH DAY: days since 1970, in the proleptic Gregorian calendar
  local y=$(($2 > 2 ? $1 : $1 - 1)) m=$((($2 + 9) % 12))
  REPLY=$((365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + $3 - 1 - 719468))
}

date_text() { # SECONDS MILLISECONDS: the milliseconds may be empty
  local second=$1 day rest era day_of_era year_of_era day_of_year m year
  ((second >= -62135596800 && second <= 253402300799)) || refuse cannot_sign || return
  day=$(((second + 62135596800) / 86400 - 719162)) rest=$(((second + 62135596800) % 86400))
  era=$(((day + 719468) / 146097)) day_of_era=$(((day + 719468) % 146097))
  year_of_era=$(((day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365))
  day_of_year=$((day_of_era - 365 * year_of_era - year_of_era / 4 + year_of_era / 100))
  m=$(((5 * day_of_year + 2) / 153)) year=$((400 * era + year_of_era))
  printf -v REPLY '%04d-%02d-%02dT%02d:%02d:%02d%sZ' $((m < 10 ? year : year + 1)) $((m < 10 ? m + 3 : m - 9)) \
    $((day_of_year - (153 * m + 2) / 5 + 1)) $((rest / 3600)) $((rest / 60 % 60)) $((rest % 60)) "${2:+.$2}"
}

iso_day='([0-9]{4})-([0-9]{2})-([0-9]{2})' iso_time='([0-9]{2}):([0-9]{2})(:([0-9]{2})(\.[0-9]+)?)?'
iso_zone='(Z|([+-])([0-9]{2})(:?([0-9]{2}))?)'
extended="^${iso_day}T$iso_time$iso_zone\$"
spaced="^$iso_day $iso_time( UTC| ?$iso_zone)\$"
basic="^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})$iso_zone\$"
rfc_5322='^(([A-Z][a-z]{2}), )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2})(:([0-9]{2}))? (GMT|UTC|([+-])([0-9]{2})([0-9]{2}))$'

date_seconds() { # TEXT: fails where it is in none of the forms that are read; what is finer than a second is cut off
  local months=JanFebMarAprMayJunJulAugSepOctNovDec weekdays=ThuFriSatSunMonTueWed
  local found year month day hour minute second sign zone_hour zone_minute weekday= before last at
  if [[ $1 =~ $extended ]]; then
    found=("${BASH_REMATCH[@]:1:5}" "${BASH_REMATCH[7]}" "${BASH_REMATCH[10]}" "${BASH_REMATCH[11]}" "${BASH_REMATCH[13]}")
  elif [[ $1 =~ $spaced ]]; then
    found=("${BASH_REMATCH[@]:1:5}" "${BASH_REMATCH[7]}" "${BASH_REMATCH[11]}" "${BASH_REMATCH[12]}" "${BASH_REMATCH[14]}")
  elif [[ $1 =~ $basic ]]; then
    found=("${BASH_REMATCH[@]:1:6}" "${BASH_REMATCH[8]}" "${BASH_REMATCH[9]}" "${BASH_REMATCH[11]}")
  elif [[ $1 =~ $rfc_5322 ]]; then
    weekday=${BASH_REMATCH[2]} before=${months%%"${BASH_REMATCH[4]}"*}
    ((${#before} % 3 == 0)) || return
    found=("${BASH_REMATCH[5]}" $((${#before} / 3 + 1)) "${BASH_REMATCH[3]}" "${BASH_REMATCH[6]}" "${BASH_REMATCH[7]}"
      "${BASH_REMATCH[9]}" "${BASH_REMATCH[@]:11:3}")
  else
    return 1
  fi
  year=10#${found[0]} month=10#${found[1]} day=10#${found[2]}
  hour=10#${found[3]} minute=10#${found[4]} second=10#${found[5]:-0}
  sign=${found[6]} zone_hour=10#${found[7]:-0} zone_minute=10#${found[8]:-0}
  ((year >= 1 && month >= 1 && month <= 12 && day >= 1)) || return
  days $((month == 12 ? year + 1 : year)) $((month % 12 + 1)) 1
  last=$REPLY
  days $((year)) $((month)) $((day))
  ((REPLY < last && hour <= 23 && minute <= 59 && second <= 59 && zone_hour <= 23 && zone_minute <= 59)) || return
  at=$REPLY
  [[ -z $weekday || ${weekdays:3*((at % 7 + 7) % 7):3} == "$weekday" ]] || return
  REPLY=$((at * 86400 + hour * 3600 + minute * 60 + second - (${sign}1) * (zone_hour * 3600 + zone_minute * 60)))
}

# HTTP HMAC 1.0: Authorization: <provider> <key id>:base64(HMAC(secret, string to sign))

cover_headers() { # REASON: the headers that are signed, each there once and with a clean value, in `covered`
  local i j name
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
    [[ $drop_blank_headers == true && (-z ${covered[$name]} || ${covered[$name]} == 0) ]] || lines+=("$name: ${covered[$name]}")
  done
  ((${#lines[@]} < 2)) || mapfile -t lines < <(printf '%s\n' "${lines[@]}" | sort)
  origin_form "$target"
  local md5 custom path=$REPLY content_type_sent=${covered[content-type]}
  md5=$(openssl dgst -md5 -r "$file") custom=$(IFS=$'\n' && printf %s "${lines[*]}")
  string="${method^^}"$'\n'"${md5%% *}"$'\n'"${content_type_sent,,}"$'\n'"${covered[${date_header,,}]}"$'\n'"$custom"$'\n'"$path"
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

# Keyed timestamp: sig = hex(hash(key id + secret + seconds)), a parameter beside the key id; the time is not sent

unescape() { # NAME_OR_VALUE of a query or form: + is a space, an escape that is none stays
  local left=${1//+/ } byte
  REPLY=
  while [[ $left =~ ^([^%]*)%([0-9A-Fa-f]{2})?(.*)$ ]]; do
    left=${BASH_REMATCH[3]} byte=%
    [[ -z ${BASH_REMATCH[2]} ]] || { [[ ${BASH_REMATCH[2]} == 00 ]] && byte=$'\x01' || printf -v byte "\\x${BASH_REMATCH[2]}"; }
    REPLY+=${BASH_REMATCH[1]}$byte
  done
  REPLY+=$left
}

escape() { # TEXT: percent-encoded
  local i byte out=
  for ((i = 0; i < ${#1}; i++)); do
    byte=${1:i:1}
    [[ $byte == [A-Za-z0-9._~-] ]] || { printf -v byte %d "'$byte" && printf -v byte %%%02X $((byte & 255)); }
    out+=$byte
  done
  REPLY=$out
}

own_fields() { # ENCODED: the scheme's own parameters in `own_names` (decoded) and `own_values` (as they stand)
  local part parts
  own_names=() own_values=()
  IFS='&' read -r -d '' -a parts < <(printf '%s&\0' "$1")
  for part in "${parts[@]}"; do
    unescape "${part%%=*}"
    contains "$REPLY" "$key_param" "$sig_param" ${version_param:+"$version_param"} || continue
    own_names+=("$REPLY")
    [[ $part == *=* ]] && own_values+=("${part#*=}") || own_values+=('')
  done
}

places() { # FORM_FILE: the scheme's own parameters in the query and in the form
  local content
  origin_form "$target"
  [[ $REPLY == *\?* ]] || REPLY=?
  own_fields "${REPLY#*\?}"
  query_names=("${own_names[@]}") query_values=("${own_values[@]}")
  own_names=() own_values=()
  if has_media_type "$form_type"; then
    content=$(tr '\0' '\1' <"$1" && printf .) # the dot keeps newlines at the end
    own_fields "${content%.}"
  fi
}

is_twice() { # LIST…
  local seen=() item
  for item; do
    contains "$item" "${seen[@]}" && return 0
    seen+=("$item")
  done
  return 1
}

is_secure() { [[ $allow_http == true || ${origin,,} == https://* ]]; }

with_fields() { # ENCODED PAIR…: replaced in place or appended, all other bytes as they are
  local encoded=$1 pair name value left part changed replaced
  shift
  for pair; do
    name=${pair%%=*} changed= replaced=
    escape "${pair#*=}"
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
  local found place=query form='' i version_sent='' here there pairs path query
  [[ $1 != *$'\t'* && (-z $origin || $allow_http == true || ${origin,,} == https://*) ]] || refuse cannot_sign || return
  contains "${method^^}" "${methods[@]}" || refuse cannot_sign || return
  [[ ${method^^} != GET ]] && has_media_type "$form_type" && form=1
  if [[ $placement == form && -z $form ]]; then
    header_values content-type
    [[ ${#found[@]} == 0 && ! -s $body && ${method^^} != GET ]] || refuse cannot_sign || return
    set_header Content-Type "$form_type"
    form=1
  fi
  [[ $form && $placement != query ]] && place=form
  places "$body"
  here=("${query_names[@]}") there=("${own_names[@]}")
  [[ $place == query ]] || here=("${own_names[@]}") there=("${query_names[@]}")
  if ((${#there[@]})) || is_twice "${here[@]}"; then refuse cannot_sign || return; fi
  for i in "${!here[@]}"; do
    [[ $version_param && ${here[i]} == "$version_param" ]] || continue
    if [[ $place == query ]]; then unescape "${query_values[i]}"; else unescape "${own_values[i]}"; fi
    contains "$REPLY" "$version" "${versions[@]}" || refuse cannot_sign || return
    version_sent=1
  done
  signatures "$1" "$2" "$3" "$3"
  pairs=("$key_param=$1" "$sig_param=$REPLY")
  [[ -z $version_param || $version_sent ]] || pairs+=("$version_param=$version")
  signed_target=$target string=$1'\0'$3 # the secret goes where the NUL stands
  if [[ $place == query ]]; then
    query_pairs=("${pairs[@]}") path=${target%%\?*} query=
    [[ $target == *\?* ]] && query=${target#*\?}
    with_fields "$query" "${pairs[@]}"
    signed_target="$path?$REPLY"
  else
    tr '\0' '\1' <"$body" | cmp -s - "$body" || refuse cannot_sign || return # a NUL, which would be lost here
    form_pairs=("${pairs[@]}") REPLY=$(cat "$body" && printf .)
    with_fields "${REPLY%.}" "${pairs[@]}"
    printf %s "$REPLY" >"$tmp/signed"
    signed_body=$tmp/signed
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
  local all i sig=-1 key=-1 version_at=-1 raw
  sent=
  places "$1"
  all=("${query_names[@]}" "${own_names[@]}") raw=("${query_values[@]}" "${own_values[@]}")
  for i in "${!all[@]}"; do
    [[ ${all[i]} == "$sig_param" ]] && sig=$i
    [[ ${all[i]} == "$key_param" ]] && key=$i
    [[ $version_param && ${all[i]} == "$version_param" ]] && version_at=$i
  done
  ((sig >= 0)) || return 0
  is_secure || refuse insecure || return
  check_request "$target" malformed || return
  contains "$method" "${methods[@]}" || refuse malformed || return
  if ((${#query_names[@]} && ${#own_names[@]})) || is_twice "${all[@]}"; then refuse malformed || return; fi
  for i in "${!raw[@]}"; do
    unescape "${raw[i]}"
    raw[i]=$REPLY
    [[ $REPLY =~ $utf8 ]] || refuse malformed || return
  done
  ((key >= 0)) || refuse malformed || return
  key_id=${raw[key]}
  [[ $key_id && ! $key_id =~ $control ]] || refuse malformed || return
  [[ ${raw[sig]} =~ ^[0-9a-f]{$((2 * size[$algorithm]))}$ ]] || refuse malformed || return
  if [[ $version_param ]]; then
    ((version_at >= 0)) || refuse malformed || return
    contains "${raw[version_at]}" "$version" "${versions[@]}" || refuse unsupported_version || return
  fi
  sent=${raw[sig]}
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

# Sending

call() { # KEY_ID METHOD URL [FILE]
  gotom_defaults
  method=$2
  [[ $3 =~ ^(https?://[^/?#@]+)([^#]*) ]] || { echo "write METHOD https://host/path" >&2 && exit 2; }
  origin=${BASH_REMATCH[1]} target=${BASH_REMATCH[2]}
  [[ $target == /* ]] || target=/$target
  if [[ -n ${4-} ]]; then cat -- "$4" >"$body"; else : >"$body"; fi
  local i secret
  secret=$(printf %s "${UNDERSIGN_SECRET:?}" | to_hex)
  if ! check_request "$target" cannot_sign || ! sign_header "$1" "$secret" "$(printf '%(%s)T' -1)" ''; then
    echo "this request cannot be signed" >&2 && exit 1
  fi
  for i in "${!names[@]}"; do printf '%s: %s\n' "${names[i]}" "${values[i]}"; done >"$tmp/headers"
  local arguments=(--request "$method")
  [[ $method == HEAD ]] && arguments=(--head)
  [[ -s $body ]] && arguments+=(--data-binary "@$body")
  # Neither [] {} in the URL nor .. in its path mean anything to curl then, and no redirect takes the signature along.
  curl --silent --show-error --include --globoff --path-as-is "${arguments[@]}" --header "@$tmp/headers" "$origin$target"
}

# Options, by the names of the protocol

gotom_defaults() {
  provider=gotom_app_api algorithm=sha1 signed_headers=() drop_blank_headers=false content_type=application/json
  date_header=Date date_precision=seconds multipart_as_empty=false past=1800 future=1800
}

gogrid_defaults() {
  key_param=api_key sig_param=sig version_param=v version=1.5 versions=(1.{0..9}) algorithm=md5 placement=auto
  methods=(GET POST) allow_http=false past=600 future=600
}

# The conformance protocol: JSON into J, by path. Strings keep their quote in front and their escapes.

declare -A J=()

next_token() {
  [[ $rest =~ ^[[:space:]]*(\"([^\"\\]|\\.)*\"|-?[0-9][0-9.eE+-]*|true|false|null|[][{}:,]) ]] || return
  rest=${rest:${#BASH_REMATCH[0]}} T=${BASH_REMATCH[1]}
}

parse() { # PATH: the value whose first token is in T
  local count=0 name
  case $T in
    '{' | '[')
      local end=$([[ $T == '{' ]] && echo '}' || echo ']')
      next_token || return
      while [[ $T != "$end" ]]; do
        name=$count
        if [[ $end == '}' ]]; then
          J[$1.$count.name]=${T%\"} name=${T:1:-1}
          [[ $name =~ ^[a-z0-9_]+$ && $1 != J.keys ]] || name=$count
          next_token && next_token || return
        fi
        parse "$1.$name" || return
        count=$((count + 1))
        next_token || return
        [[ $T != , ]] || next_token || return
      done
      J[$1#]=$count
      ;;
    \"*) J[$1]=${T%\"} ;;
    *) J[$1]=$T ;;
  esac
}

code_point() { # NUMBER: its UTF-8 as escapes for printf
  local n=$1
  if ((n < 0x80)); then printf -v REPLY '\\x%02x' "$n"
  elif ((n < 0x800)); then printf -v REPLY '\\x%02x' $((0xc0 | n >> 6)) $((0x80 | n & 63))
  elif ((n < 0x10000)); then printf -v REPLY '\\x%02x' $((0xe0 | n >> 12)) $((0x80 | n >> 6 & 63)) $((0x80 | n & 63))
  else printf -v REPLY '\\x%02x' $((0xf0 | n >> 18)) $((0x80 | n >> 12 & 63)) $((0x80 | n >> 6 & 63)) $((0x80 | n & 63)); fi
}

unquoted() { # RAW: a JSON string as a format for printf
  local left=${1#\"} out= high
  left=${left//%/%%}
  while [[ $left == *\\* ]]; do
    out+=${left%%\\*} left=${left#*\\}
    case $left in
      u[dD][89abAB]??\\u[dD][c-fC-F]??*)
        high=$(((0x${left:1:4} - 0xd800 << 10) + 0x${left:7:4} - 0xdc00 + 0x10000)) left=${left:11}
        code_point "$high"
        ;;
      u????*)
        code_point $((0x${left:1:4}))
        left=${left:5}
        ;;
      *)
        REPLY=\\${left:0:1} left=${left:1}
        [[ $REPLY != '\/' ]] || REPLY=/
        ;;
    esac
    out+=$REPLY
  done
  REPLY=$out$left
}

text() { # PATH: a string, a NUL as \x01
  unquoted "${J[$1]-}"
  [[ $REPLY != *[\\%]* ]] || printf -v REPLY "${REPLY//\\x00/\\x01}"
}

wire() { # PATH: a string with one character for each byte
  local out= left
  text "$1"
  left=$REPLY
  while [[ $left =~ ^([^$'\x80'-$'\xff']*)([$'\xc2\xc3'])([$'\x80'-$'\xbf'])(.*)$ ]]; do
    out+=${BASH_REMATCH[1]} left=${BASH_REMATCH[4]}
    printf -v REPLY "\\x$(printf %x $((($(printf %d "'${BASH_REMATCH[2]}") & 3) << 6 | $(printf %d "'${BASH_REMATCH[3]}") & 63)))"
    out+=$REPLY
  done
  REPLY=$out$left
}

bytes() { # PATH: of a string or of base64 beside it, to standard output
  if [[ -n ${J[$1]+set} ]]; then
    unquoted "${J[$1]}"
    printf -- "$REPLY"
  else
    text "$1_b64"
    printf %s "$REPLY" | openssl base64 -d -A
  fi
}

list() { # PATH: the texts of a list in REPLIES
  local i
  REPLIES=()
  for ((i = 0; i < J[$1#]; i++)); do
    text "$1.$i"
    REPLIES+=("$REPLY")
  done
}

read_options() {
  local option i
  for ((i = 0; i < J[J.options#]; i++)); do
    text "J.options.$i.name"
    option=$REPLY
    [[ $option == window || -n ${!option+set} || $option == signed_headers ]] || return
    case $option in
      window) past=${J[J.options.window.past]} future=${J[J.options.window.future]} ;;
      signed_headers | versions | methods)
        list "J.options.$option"
        eval "$option=(\"\${REPLIES[@]}\")" # the names are those three
        ;;
      *)
        text "J.options.$option"
        [[ ${J[J.options.$option]} != null ]] || REPLY=
        printf -v "$option" %s "$REPLY"
        ;;
    esac
  done
}

read_request() {
  local i
  wire J.request.method && method=$REPLY
  wire J.request.target && target=$REPLY
  text J.request.origin && origin=$REPLY
  names=() values=() patch_names=() patch_values=() query_pairs=() form_pairs=() signed_body='' string='' reason='' key_id=''
  for ((i = 0; i < J[J.request.headers#]; i++)); do
    wire "J.request.headers.$i.0" && names+=("$REPLY")
    wire "J.request.headers.$i.1" && values+=("$REPLY")
  done
  bytes J.request.body >"$body"
}

secrets_of() { # KEY_ID: in hex; an empty one is none
  local i j place
  secrets=()
  for ((i = 0; i < J[J.keys#]; i++)); do
    text "J.keys.$i.name"
    [[ $REPLY == "$1" ]] || continue
    for ((j = 0; j < J[J.keys.$i#]; j++)); do
      place=J.keys.$i.$j
      [[ -n ${J[$place]+set} ]] || place+=.secret
      REPLY=$(bytes "$place" | to_hex)
      [[ -z $REPLY ]] || secrets+=("$REPLY")
    done
  done
  ((${#secrets[@]})) || refuse unknown_key
}

quote() { # BYTES [wire]: as a JSON string; with `wire` each byte is a character
  local i byte out=
  for ((i = 0; i < ${#1}; i++)); do
    byte=${1:i:1}
    case $byte in
      [\"\\]) out+=\\$byte ;;
      [[:cntrl:]] | [$'\x80'-$'\xff'])
        printf -v REPLY %d "'$byte"
        [[ $byte == [[:cntrl:]] || ${2-} ]] && printf -v byte '\\u%04x' $((REPLY & 255))
        out+=$byte
        ;;
      *) out+=$byte ;;
    esac
  done
  REPLY="\"$out\""
}

pairs() { # NAME=VALUE…: as JSON
  local pair out=
  for pair; do
    quote "${pair%%=*}"
    out+=",[$REPLY"
    quote "${pair#*=}"
    out+=",$REPLY]"
  done
  REPLY="[${out:1}]"
}

answer_signed() {
  local i answer= out=
  for i in "${!patch_names[@]}"; do
    quote "${patch_names[i]}" wire
    out+=",[$REPLY"
    quote "${patch_values[i]}" wire
    out+=",$REPLY]"
  done
  answer="\"patch\":{\"headers\":[${out:1}],\"query\":"
  pairs "${query_pairs[@]}"
  answer+="$REPLY,\"form\":"
  pairs "${form_pairs[@]}"
  answer+=$REPLY
  quote "$signed_target" wire
  answer+="},\"target\":$REPLY"
  [[ -z $signed_body ]] || answer+=",\"body_b64\":\"$(openssl base64 -A <"$signed_body")\""
  if [[ $scheme == gogrid ]]; then
    quote "${string%'\0'*}"
    answer+=",\"string_to_sign\":${REPLY%\"}\\u0000${string##*'\0'}\""
  elif [[ $string =~ $utf8 ]]; then
    quote "$string"
    answer+=",\"string_to_sign\":$REPLY"
  else
    answer+=",\"string_to_sign_b64\":\"$(printf %s "$string" | openssl base64 -A)\""
  fi
  REPLY=$answer
}

answer() {
  local scheme op now seconds milliseconds secret key
  text J.scheme && scheme=$REPLY
  text J.op && op=$REPLY
  now=${J[J.now]} seconds=${J[J.now]%%.*} milliseconds=000
  [[ $now == *.* ]] && milliseconds=${now#*.}00 milliseconds=${milliseconds:0:3}
  [[ $now == -*.*[1-9]* ]] && seconds=$((seconds - 1))
  case $scheme in
    gotom) gotom_defaults ;;
    gogrid) gogrid_defaults ;;
    *) REPLY='"skipped":"there is no such scheme"' && return ;;
  esac
  read_options || { REPLY='"skipped":"there is no such option"' && return; }
  read_request
  if [[ $op == sign ]]; then
    text J.key_id
    key=$REPLY secret=$(bytes J.secret | to_hex)
    origin_form "$target"
    if [[ $key && $secret && $key =~ $utf8 && ! $key =~ $control_but_tab ]] && check_request "$REPLY" cannot_sign &&
      if [[ $scheme == gotom ]]; then sign_header "$key" "$secret" "$seconds" "$milliseconds"; else sign_parameters "$key" "$secret" "$seconds"; fi; then
      answer_signed
    else
      REPLY='"error":"cannot_sign"'
    fi
  else
    origin_form "$target"
    target=$REPLY
    if if [[ $scheme == gotom ]]; then verify_header "$seconds"; else verify_parameters "$seconds"; fi; then
      quote "$key_id"
      REPLY="\"result\":\"valid\",\"key_id\":$REPLY"
    else
      REPLY="\"result\":\"invalid\",\"reason\":\"$reason\""
    fi
  fi
}

if [[ ${1-} == call ]]; then
  call "${@:2}"
  exit
fi
while IFS= read -r rest; do
  J=()
  next_token && parse J || continue
  case ${J[J.cmd]-} in
    '"start') echo '{"implementation":{"name":"port.sh","version":"1.0.0","language":"Bash"},"schemes":["gotom","gogrid"],"ops":["sign","verify"]}' ;;
    '"run')
      answer
      printf '{"seq":%s,%s}\n' "${J[J.seq]}" "$REPLY"
      ;;
    '"stop') break ;;
  esac
done
