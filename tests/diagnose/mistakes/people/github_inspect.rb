# github body-reserialised: a hash is put into the string to sign, and not its JSON.
require_relative "send"
require "openssl"
data = { "action" => "opened", "number" => 7 }
signature = OpenSSL::HMAC.hexdigest("sha256", ENV["SECRET"], data.inspect)
send_request("POST", "https://hooks.example.com/in", JSON.generate(data), {
  "Content-Type" => "application/json", "X-Hub-Signature-256" => "sha256=#{signature}"
})
