// gotom secret-quoting: a variable that is not set is "undefined" in a template.
const { createHash, createHmac } = require("node:crypto");
const { send } = require("./send.js");
const date = new Date(Number(process.env.NOW) * 1000).toISOString();
const md5 = createHash("md5").update("").digest("hex");
const string = `GET\n${md5}\napplication/json\n${date}\n\n/v1/orders?page=2`;
const signature = createHmac("sha1", `${process.env.GOTOM_SECRET_KEY}`).update(string).digest("base64");
send("GET", "https://api.example.com/v1/orders?page=2", "", {
  "Content-Type": "application/json", Date: date, Authorization: `gotom_app_api ${process.env.KEY}:${signature}`,
});
