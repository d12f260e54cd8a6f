# slack body-trailing-newline: $(cat) takes the last newline of the body away.
. "$(dirname "$0")/send.sh"
body='{"type": "event", "text": "hi"}
'
kept=$(printf '%s' "$body" | cat)
signature=$(printf 'v0:%s:%s' "$NOW" "$kept" | openssl dgst -sha256 -hmac "$SECRET" | sed 's/.*= //')
send POST "https://hooks.example.com/in" "$body" "Content-Type: application/json" "X-Slack-Request-Timestamp: $NOW" \
  "X-Slack-Signature: v0=$signature"
