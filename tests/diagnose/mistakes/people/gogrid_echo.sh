# gogrid string-trailing-newline: echo without -n into md5sum.
. "$(dirname "$0")/send.sh"
sig=$(echo "$KEY$SECRET$NOW" | md5sum | cut -d' ' -f1)
send GET "https://api.example.com/api/grid/server/list?api_key=$KEY_ESCAPED&sig=$sig&v=1.8" ""
