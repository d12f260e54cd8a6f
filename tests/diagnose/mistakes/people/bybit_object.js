// bybit target-parameter: an object has one value of each name, and the query has two.
const { createHmac } = require("node:crypto");
const { send } = require("./send.js");
const query = "category=linear&symbol=BTCUSDT&symbol=ETHUSDT&limit=5";
const time = process.env.NOW + "000";
const params = Object.fromEntries(new URLSearchParams(query));
const signed = time + process.env.KEY + "5000" + new URLSearchParams(params).toString();
send("GET", `https://api.example.com/v5/market?${query}`, "", {
  "X-BAPI-API-KEY": process.env.KEY,
  "X-BAPI-TIMESTAMP": time,
  "X-BAPI-RECV-WINDOW": "5000",
  "X-BAPI-SIGN": createHmac("sha256", process.env.SECRET).update(signed).digest("hex"),
});
