# Hashes and HMAC by openssl. SPDX-License-Identifier: MIT

declare -A size=([md5]=16 [sha1]=20 [sha224]=28 [sha256]=32 [sha384]=48 [sha512]=64)

escapes() { # HEX: as \x escapes for printf
  local i
  REPLY=
  for ((i = 0; i < ${#1}; i += 2)); do REPLY+="\\x${1:i:2}"; done
}

to_hex() { od -An -v -tx1 | tr -d ' \n'; }

# HMAC by its definition, since `openssl dgst -hmac` takes the secret as an argument.
hmac() { # ALGORITHM SECRET_IN_HEX STRING: in base64
  local key=$2 block=64 inner='' outer='' i byte
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
