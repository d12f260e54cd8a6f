// kucoin date-near|date-differs: the time is read for the string, and again for the header.
const { createHmac } = require("node:crypto");
const { send } = require("./send.js");
const first = Number(process.env.NOW) * 1000;
const second = first + 1000;
const signed = `${first}GET/api/v1/accounts?currency=BTC`;
send("GET", "https://api.example.com/api/v1/accounts?currency=BTC", "", {
  "KC-API-KEY": process.env.KEY,
  "KC-API-SIGN": createHmac("sha256", process.env.SECRET).update(signed).digest("base64"),
  "KC-API-TIMESTAMP": String(second),
  "KC-API-PASSPHRASE": "phrase",
});
