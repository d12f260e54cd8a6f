# bybit target-reencoded|target-query-order: a sorted hash is signed, and the query goes out as it was typed.
require_relative "send"
require "openssl"
require "uri"
query = "symbol=BTC%20USDT&category=linear&cursor=a%7Eb"
time = "#{ENV["NOW"]}000"
signed = time + ENV["KEY"] + "5000" + URI.encode_www_form(URI.decode_www_form(query).sort)
send_request("GET", "https://api.example.com/v5/market?#{query}", "", {
  "X-BAPI-API-KEY" => ENV["KEY"], "X-BAPI-TIMESTAMP" => time, "X-BAPI-RECV-WINDOW" => "5000",
  "X-BAPI-SIGN" => OpenSSL::HMAC.hexdigest("sha256", ENV["SECRET"], signed)
})
