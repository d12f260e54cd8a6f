# dns-made-easy timezone: the date of the machine's zone, with GMT written behind it.
. "$(dirname "$0")/send.sh"
date=$(LC_ALL=C TZ=CET-1 date -d "@$NOW" '+%a, %d %b %Y %H:%M:%S GMT')
signature=$(printf '%s' "$date" | openssl dgst -sha1 -hmac "$SECRET" | sed 's/.*= //')
send GET "https://api.example.com/V2.0/dns/managed" "" "x-dnsme-apiKey: $KEY" "x-dnsme-requestDate: $date" \
  "x-dnsme-hmac: $signature"
