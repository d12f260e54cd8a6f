# gotom secret-whitespace|method-case: a newline behind the secret, and the method in lower case.
. "$(dirname "$0")/send.sh"
date=$(date -u -d "@$NOW" +%Y-%m-%dT%H:%M:%SZ)
md5=$(printf '' | md5sum | cut -d ' ' -f 1)
key=$(printf '%s\n' "$SECRET" | xxd -p -c 999)
signature=$(printf 'get\n%s\napplication/json\n%s\n\n/v1/orders' "$md5" "$date" | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$key" -binary | base64)
send GET "https://api.example.com/v1/orders" "" "Content-Type: application/json" "Date: $date" "Authorization: gotom_app_api $KEY:$signature"
