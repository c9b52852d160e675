// Ferry: a login with password and TOTP. A code is accepted once, and five failures lock an account for 15 minutes.
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import express from "express";
import { generateSecret, generateURI, verify } from "otplib";

const MAX_FAILURES = 5;
const LOCKED_FOR = 15 * 60 * 1000; // milliseconds

const hash = promisify(scrypt);
const members = new Map();

async function isMember(member, password, code) {
  if (!timingSafeEqual(await hash(password, member.salt, 32), member.hash) || !/^\d{6}$/.test(code)) return false;
  const { secret, afterTimeStep } = member;
  // One step back for slow typists, none ahead; and no step that was accepted before, or an earlier one.
  const result = await verify({ secret, token: code, epochTolerance: [30, 0], afterTimeStep });
  if (result.valid) member.afterTimeStep = result.timeStep;
  return result.valid;
}

const app = express();
app.use(express.json());

app.post("/register", async (request, response) => {
  const { name, password } = request.body;
  if (members.has(name)) return response.status(409).json({ error: "The name is taken." });
  const salt = randomBytes(16);
  const secret = generateSecret();
  members.set(name, { salt, hash: await hash(password, salt, 32), secret, failures: 0, lockedUntil: 0 });
  response.status(201).json({ uri: generateURI({ issuer: "Ferry", label: name, secret }) });
});

app.post("/login", async (request, response) => {
  const { name, password, code } = request.body;
  const member = members.get(name);
  if (!member) return response.status(401).json({ error: "Wrong name, password or code." });
  const wait = Math.ceil((member.lockedUntil - Date.now()) / 1000);
  if (wait > 0) return response.status(429).set("Retry-After", wait).json({ error: "Too many attempts." });
  if (await isMember(member, password, code)) {
    member.failures = 0;
    return response.json({ message: `Welcome aboard, ${name}` });
  }
  member.failures += 1;
  if (member.failures === MAX_FAILURES) {
    member.failures = 0;
    member.lockedUntil = Date.now() + LOCKED_FOR;
  }
  response.status(401).json({ error: "Wrong name, password or code." });
});

const server = app.listen(process.env.PORT ?? 3000, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
