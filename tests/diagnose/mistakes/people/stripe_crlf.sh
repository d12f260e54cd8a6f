# stripe body-line-endings: the file has CRLF, and what is signed went through tr.
. "$(dirname "$0")/send.sh"
body=$(printf '{\r\n  "id": "evt_1",\r\n  "object": "event"\r\n}')
signature=$(printf '%s.%s' "$NOW" "$(printf '%s' "$body" | tr -d '\r')" | openssl dgst -sha256 -hmac "$SECRET" | sed 's/.*= //')
send POST "https://hooks.example.com/in" "$body" "Content-Type: application/json" "Stripe-Signature: t=$NOW,v1=$signature"
