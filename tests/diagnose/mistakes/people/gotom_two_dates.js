// gotom date-differs: the string has toISOString, the header toUTCString.
const { createHash, createHmac } = require("node:crypto");
const { send } = require("./send.js");
const now = new Date(Number(process.env.NOW) * 1000);
const md5 = createHash("md5").update("").digest("hex");
const string = ["GET", md5, "application/json", now.toISOString(), "", "/v1/orders"].join("\n");
const signature = createHmac("sha1", process.env.SECRET).update(string).digest("base64");
send("GET", "https://api.example.com/v1/orders", "", {
  "Content-Type": "application/json",
  Date: now.toUTCString(),
  Authorization: `gotom_app_api ${process.env.KEY}:${signature}`,
});
