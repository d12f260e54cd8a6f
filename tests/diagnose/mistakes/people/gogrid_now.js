// gogrid timestamp-milliseconds: Date.now() has milliseconds.
const { createHash } = require("node:crypto");
const { send } = require("./send.js");
const now = Number(process.env.NOW) * 1000 + 371;
const sig = createHash("md5").update(process.env.KEY + process.env.SECRET + now).digest("hex");
const query = new URLSearchParams({ api_key: process.env.KEY, sig, v: "1.8", format: "json" });
send("GET", `https://api.example.com/api/grid/server/list?${query}`, "", {});
