# send: prints the request that Net::HTTP would send, as JSON.
require "base64"
require "json"

def send_request(method, url, body, headers)
  puts JSON.generate({ method: method, url: url, body: Base64.strict_encode64(body), headers: headers.to_a })
end
