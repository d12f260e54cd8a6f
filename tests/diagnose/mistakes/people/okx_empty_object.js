// okx body-default: a GET without parameters is signed with {}.
const { createHmac } = require("node:crypto");
const { send } = require("./send.js");
const time = new Date(Number(process.env.NOW) * 1000).toISOString();
const signed = time + "GET" + "/api/v5/account/balance?ccy=BTC" + JSON.stringify({});
send("GET", "https://api.example.com/api/v5/account/balance?ccy=BTC", "", {
  "OK-ACCESS-KEY": process.env.KEY,
  "OK-ACCESS-SIGN": createHmac("sha256", process.env.SECRET).update(signed).digest("base64"),
  "OK-ACCESS-TIMESTAMP": time,
  "OK-ACCESS-PASSPHRASE": "phrase",
});
