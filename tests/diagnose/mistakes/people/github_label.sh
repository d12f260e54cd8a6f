# github signature-encoding|carrier: the name that openssl prints in front is not taken off.
. "$(dirname "$0")/send.sh"
body='{"action": "opened", "number": 7}'
signature=$(printf '%s' "$body" | openssl dgst -sha256 -hmac "$SECRET")
send POST "https://hooks.example.com/in" "$body" "Content-Type: application/json" "X-Hub-Signature-256: sha256=$signature"
