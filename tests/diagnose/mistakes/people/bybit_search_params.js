// bybit target-reencoded: signed as URLSearchParams writes it, and sent by hand.
const { createHmac } = require("node:crypto");
const { send } = require("./send.js");
const time = process.env.NOW + "000";
const params = { category: "linear", symbol: "BTC USDT", cursor: "a~b:c" };
const signed = time + process.env.KEY + "5000" + new URLSearchParams(params).toString();
const query = Object.entries(params).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
send("GET", `https://api.example.com/v5/market?${query}`, "", {
  "X-BAPI-API-KEY": process.env.KEY,
  "X-BAPI-TIMESTAMP": time,
  "X-BAPI-RECV-WINDOW": "5000",
  "X-BAPI-SIGN": createHmac("sha256", process.env.SECRET).update(signed).digest("hex"),
});
