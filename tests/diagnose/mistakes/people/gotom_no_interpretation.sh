# gotom line-endings: printf %s does not make newlines of \n.
. "$(dirname "$0")/send.sh"
date=$(date -u -d "@$NOW" +%Y-%m-%dT%H:%M:%SZ)
body='{"name": "Müller", "id": 7}'
md5=$(printf '%s' "$body" | md5sum | cut -d' ' -f1)
signature=$(printf '%s' "POST\n$md5\napplication/json\n$date\n\n/v1/orders" | openssl dgst -sha1 -hmac "$SECRET" -binary | base64)
send POST "https://api.example.com/v1/orders" "$body" "Content-Type: application/json" "Date: $date" \
  "Authorization: gotom_app_api $KEY:$signature"
