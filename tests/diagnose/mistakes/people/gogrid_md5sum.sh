# gogrid signature-encoding: md5sum prints a name behind the hash.
. "$(dirname "$0")/send.sh"
sig=$(printf '%s' "$KEY$SECRET$NOW" | md5sum | sed 's/ /%20/g')
send GET "https://api.example.com/api/grid/server/list?api_key=$KEY_ESCAPED&sig=$sig&v=1.8" ""
