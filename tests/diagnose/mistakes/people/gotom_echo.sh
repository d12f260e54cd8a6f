# gotom string-trailing-newline: echo puts a newline behind the string.
. "$(dirname "$0")/send.sh"
date=$(date -u -d "@$NOW" +%Y-%m-%dT%H:%M:%SZ)
md5=$(printf '' | md5sum | cut -d' ' -f1)
string="GET
$md5
application/json
$date

/v1/orders?page=2"
signature=$(echo "$string" | openssl dgst -sha1 -hmac "$SECRET" -binary | base64)
send GET "https://api.example.com/v1/orders?page=2" "" "Content-Type: application/json" "Date: $date" \
  "Authorization: gotom_app_api $KEY:$signature"
