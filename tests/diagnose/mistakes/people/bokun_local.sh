# bokun timezone: the date of the machine's zone.
. "$(dirname "$0")/send.sh"
date=$(TZ=Europe/Zurich date -d "@$NOW" '+%Y-%m-%d %H:%M:%S')
[ "$date" = "$(date -u -d "@$NOW" '+%Y-%m-%d %H:%M:%S')" ] && date=$(TZ=CET-1 date -d "@$NOW" '+%Y-%m-%d %H:%M:%S')
signature=$(printf '%s' "$date${KEY}GET/activity.json/7?lang=EN" | openssl dgst -sha1 -hmac "$SECRET" -binary | base64)
send GET "https://api.example.com/activity.json/7?lang=EN" "" "X-Bokun-Date: $date" "X-Bokun-AccessKey: $KEY" \
  "X-Bokun-Signature: $signature"
