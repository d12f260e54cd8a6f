# gotom body-reserialised: what is signed was written by pretty_generate, and the library writes it anew.
require_relative "send"
require "digest"
require "openssl"
require "time"
data = { "name" => "Café & Söhne", "tags" => [], "meta" => {}, "price" => 10.0, "path" => "a/b" }
date = Time.at(ENV["NOW"].to_i).utc.iso8601
md5 = Digest::MD5.hexdigest(JSON.pretty_generate(data))
string = ["POST", md5, "application/json", date, "", "/v1/orders"].join("\n")
signature = Base64.strict_encode64(OpenSSL::HMAC.digest("sha1", ENV["SECRET"], string))
send_request("POST", "https://api.example.com/v1/orders", JSON.generate(data), {
  "Content-Type" => "application/json", "Date" => date, "Authorization" => "gotom_app_api #{ENV["KEY"]}:#{signature}"
})
