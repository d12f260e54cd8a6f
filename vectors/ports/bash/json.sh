# JSON. SPDX-License-Identifier: MIT

# What is read is in J, by path. Strings keep their quote in front and their escapes.

declare -A J=()

next_token() {
  [[ $rest =~ ^[[:space:]]*(\"([^\"\\]|\\.)*\"|-?[0-9][0-9.eE+-]*|true|false|null|[][{}:,]) ]] || return
  rest=${rest:${#BASH_REMATCH[0]}} T=${BASH_REMATCH[1]}
}

parse() { # PATH: the value whose first token is in T
  local count=0 name end=']'
  case $T in
    '{' | '[')
      [[ $T == '[' ]] || end='}'
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
  local n=$1 units
  if ((n < 0x80)); then
    units=("$n")
  elif ((n < 0x800)); then
    units=($((0xc0 | n >> 6)) $((0x80 | n & 63)))
  elif ((n < 0x10000)); then
    units=($((0xe0 | n >> 12)) $((0x80 | n >> 6 & 63)) $((0x80 | n & 63)))
  else
    units=($((0xf0 | n >> 18)) $((0x80 | n >> 12 & 63)) $((0x80 | n >> 6 & 63)) $((0x80 | n & 63)))
  fi
  printf -v REPLY '\\x%02x' "${units[@]}"
}

unquoted() { # RAW: a JSON string as a format for printf
  local left=${1#\"} out='' high
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

quote() { # BYTES [wire]: as a JSON string; with `wire` each byte is a character
  local i byte out=''
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

quote_pairs() { # WIRE (NAME VALUE)…: as a JSON list of pairs, in which WIRE is `wire` or empty as for `quote`
  local how=$1 out=''
  shift
  while (($#)); do
    quote "$1" "$how"
    out+=",[$REPLY"
    quote "$2" "$how"
    out+=",$REPLY]"
    shift 2
  done
  REPLY="[${out:1}]"
}
