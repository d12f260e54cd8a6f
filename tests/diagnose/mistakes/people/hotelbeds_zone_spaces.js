// hotelbeds timezone|clock-skew|secret-whitespace: the host's clock shows local time, and the secret has a tab behind.
const { createHash } = require("node:crypto");
const { send } = require("./send.js");
const seconds = Number(process.env.NOW) + 2 * 3600;
const signature = createHash("sha256").update(process.env.KEY + process.env.SECRET + "\t" + seconds).digest("hex");
send("GET", "https://api.example.com/hotel-api/1.0/status", "", { "Api-key": process.env.KEY, "X-Signature": signature });
