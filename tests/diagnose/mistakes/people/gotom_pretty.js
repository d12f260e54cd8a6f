// gotom body-reserialised: what is signed has been indented for the log.
const { createHash, createHmac } = require("node:crypto");
const { send } = require("./send.js");
const date = new Date(Number(process.env.NOW) * 1000).toISOString();
const data = { name: "Müller & Söhne", price: 10.0, tags: ["a/b"] };
const md5 = createHash("md5").update(JSON.stringify(data, null, 2)).digest("hex");
const string = `POST\n${md5}\napplication/json\n${date}\n\n/v1/orders`;
const signature = createHmac("sha1", process.env.SECRET).update(string).digest("base64");
send("POST", "https://api.example.com/v1/orders", JSON.stringify(data), {
  "Content-Type": "application/json", Date: date, Authorization: `gotom_app_api ${process.env.KEY}:${signature}`,
});
