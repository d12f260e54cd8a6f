# The conformance protocol on standard input and output. SPDX-License-Identifier: MIT

text() { # PATH: a string, a NUL as \x01
  unquoted "${J[$1]-}"
  [[ $REPLY != *[\\%]* ]] || printf -v REPLY "${REPLY//\\x00/\\x01}"
}

wire() { # PATH: a string with one character for each byte
  local out='' left high low
  text "$1"
  left=$REPLY
  while [[ $left =~ ^([^$'\x80'-$'\xff']*)([$'\xc2\xc3'])([$'\x80'-$'\xbf'])(.*)$ ]]; do
    printf -v high %d "'${BASH_REMATCH[2]}"
    printf -v low %d "'${BASH_REMATCH[3]}"
    out+=${BASH_REMATCH[1]} left=${BASH_REMATCH[4]}
    printf -v REPLY '\\x%02x' $(((high & 3) << 6 | low & 63))
    printf -v REPLY "$REPLY"
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
  names=() values=() patch_headers=() patch_query=() patch_form=() signed_body='' string='' reason='' key_id=''
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

answer_signed() {
  local out
  quote_pairs wire "${patch_headers[@]}"
  out="\"patch\":{\"headers\":$REPLY"
  quote_pairs '' "${patch_query[@]}"
  out+=",\"query\":$REPLY"
  quote_pairs '' "${patch_form[@]}"
  out+=",\"form\":$REPLY}"
  quote "$signed_target" wire
  out+=",\"target\":$REPLY"
  [[ -z $signed_body ]] || out+=",\"body_b64\":\"$(openssl base64 -A <"$signed_body")\""
  if [[ $scheme == gogrid ]]; then
    quote "${string%'\0'*}"
    out+=",\"string_to_sign\":${REPLY%\"}\\u0000${string##*'\0'}\""
  elif [[ $string =~ $utf8 ]]; then
    quote "$string"
    out+=",\"string_to_sign\":$REPLY"
  else
    out+=",\"string_to_sign_b64\":\"$(printf %s "$string" | openssl base64 -A)\""
  fi
  REPLY=$out
}

answer() {
  local scheme op kind now=${J[J.now]} seconds milliseconds=000
  text J.scheme && scheme=$REPLY
  text J.op && op=$REPLY
  case $scheme in
    gotom) kind=header && gotom_defaults ;;
    gogrid) kind=parameters && gogrid_defaults ;;
    *) REPLY='"skipped":"there is no such scheme"' && return ;;
  esac
  read_options || { REPLY='"skipped":"there is no such option"' && return; }
  read_request
  seconds=${now%%.*}
  [[ $now == *.* ]] && milliseconds=${now#*.}00 milliseconds=${milliseconds:0:3}
  [[ $now == -*.*[1-9]* ]] && seconds=$((seconds - 1))
  if [[ $op == sign ]]; then
    text J.key_id
    if sign "$kind" "$REPLY" "$(bytes J.secret | to_hex)" "$seconds" "$milliseconds"; then
      answer_signed
    else
      REPLY='"error":"cannot_sign"'
    fi
  elif verify "$kind" "$seconds"; then
    quote "$key_id"
    REPLY="\"result\":\"valid\",\"key_id\":$REPLY"
  else
    REPLY="\"result\":\"invalid\",\"reason\":\"$reason\""
  fi
}

serve() {
  local rest
  while IFS= read -r rest; do
    J=()
    next_token && parse J || continue
    case ${J[J.cmd]-} in
      '"start')
        printf '{"implementation":{"name":"port.sh","version":"1.0.0","language":"Bash"},'
        printf '"schemes":["gotom","gogrid"],"ops":["sign","verify"]}\n'
        ;;
      '"run')
        answer
        printf '{"seq":%s,%s}\n' "${J[J.seq]}" "$REPLY"
        ;;
      '"stop') break ;;
    esac
  done
}
