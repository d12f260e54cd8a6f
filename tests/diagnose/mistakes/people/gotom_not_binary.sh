# gotom signature-encoding: openssl without -binary, so base64 has its text.
. "$(dirname "$0")/send.sh"
date=$(date -u -d "@$NOW" +%Y-%m-%dT%H:%M:%SZ)
md5=$(printf '' | md5sum | cut -d' ' -f1)
signature=$(printf 'DELETE\n%s\napplication/json\n%s\n\n/v1/orders/7' "$md5" "$date" | openssl dgst -sha1 -hmac "$SECRET" | base64 -w0)
send DELETE "https://api.example.com/v1/orders/7" "" "Content-Type: application/json" "Date: $date" \
  "Authorization: gotom_app_api $KEY:$signature"
