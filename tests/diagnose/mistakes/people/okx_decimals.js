// okx body-reserialised: numbers are parsed and written again, so that 10.10 is 10.1.
const { createHmac } = require("node:crypto");
const { send } = require("./send.js");
const time = new Date(Number(process.env.NOW) * 1000).toISOString();
const body = '{"instId": "BTC-USDT", "px": 10.10, "sz": 1e3, "id": 12345678901234567890}';
const signed = `${time}POST/api/v5/trade/order${JSON.stringify(JSON.parse(body))}`;
send("POST", "https://api.example.com/api/v5/trade/order", body, {
  "Content-Type": "application/json", "OK-ACCESS-KEY": process.env.KEY, "OK-ACCESS-TIMESTAMP": time,
  "OK-ACCESS-PASSPHRASE": "Pass phrase",
  "OK-ACCESS-SIGN": createHmac("sha256", process.env.SECRET).update(signed).digest("base64"),
});
