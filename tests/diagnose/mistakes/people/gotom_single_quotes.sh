# gotom secret-quoting: a variable in single quotes is its name.
. "$(dirname "$0")/send.sh"
date=$(date -u -d "@$NOW" +%Y-%m-%dT%H:%M:%S+00:00)
md5=$(printf '' | md5sum | cut -d' ' -f1)
signature=$(printf 'GET\n%s\napplication/json\n%s\n\n/v1/orders' "$md5" "$date" | openssl dgst -sha1 -hmac '$SECRET' -binary | base64)
send GET "https://api.example.com/v1/orders" "" "Content-Type: application/json" "Date: $date" \
  "Authorization: gotom_app_api $KEY:$signature"
