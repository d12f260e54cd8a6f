# gotom line-endings|separator: the string is not in quotes, so the shell makes spaces of its newlines.
. "$(dirname "$0")/send.sh"
date=$(date -u -d "@$NOW" +%Y-%m-%dT%H:%M:%SZ)
md5=$(printf '' | md5sum | cut -d' ' -f1)
string=$(printf 'GET\n%s\napplication/json\n%s\n\n/v1/orders' "$md5" "$date")
signature=$(echo -n $string | openssl dgst -sha1 -hmac "$SECRET" -binary | base64)
send GET "https://api.example.com/v1/orders" "" "Content-Type: application/json" "Date: $date" \
  "Authorization: gotom_app_api $KEY:$signature"
