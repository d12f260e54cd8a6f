# gotom content-type-default: curl -d sends a form's type where no header says another.
. "$(dirname "$0")/send.sh"
date=$(date -u -d "@$NOW" +%Y-%m-%dT%H:%M:%SZ)
body='{"id":7}'
md5=$(printf '%s' "$body" | md5sum | cut -d' ' -f1)
signature=$(printf 'POST\n%s\napplication/json\n%s\n\n/v1/orders' "$md5" "$date" | openssl dgst -sha1 -hmac "$SECRET" -binary | base64)
send POST "https://api.example.com/v1/orders" "$body" "Content-Type: application/x-www-form-urlencoded" "Date: $date" \
  "Authorization: gotom_app_api $KEY:$signature"
