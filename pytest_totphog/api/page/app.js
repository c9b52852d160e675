// The page of an authenticator. All it knows comes from the API beside it, and all of that is shown as text.

const API = new URL("./api/v1/", document.baseURI);
const RETRY_SECONDS = [1, 2, 4, 8, 15];
const REQUEST_SECONDS = 20;
const IDLE_SECONDS = 10; // how often a frozen clock is looked at: it has no step's end to wait for
const DEFAULT_PERIOD = 30;
const ENDING_SECONDS = 5;
const SHOWN_EVENTS = 100;
const TOAST_SECONDS = 9;
const MAX_PICTURE_BYTES = 700_000; // what fits a request as a data: URL

const $ = (id) => document.getElementById(id);
const delay = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

// The API

class ApiError extends Error {} // its message is the server's sentence
class Unreachable extends Error {}

async function send(path, { method = "GET", body, as = "json" } = {}) {
  const headers = { "X-Requested-With": "totphog" }; // which no page of another origin can send
  const key = sessionStorage.getItem("totphog-api-key");
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response, answer;
  try {
    response = await fetch(new URL(path, API), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(REQUEST_SECONDS * 1000),
    });
    answer = response.ok && as === "blob" ? await response.blob() : await response.json();
  } catch {
    throw new Unreachable();
  }
  if (response.status === 401) {
    await askForKey(key !== null);
    return send(path, { method, body, as });
  }
  if (!response.ok) throw new ApiError(answer.error ?? `The server answered ${response.status}`);
  return answer;
}

let asking = null;

function askForKey(refused) {
  asking ??= new Promise((resolve) => {
    $("key-error").textContent = refused ? "The server refused this key." : "";
    $("key").value = "";
    $("key-dialog").showModal();
    $("key-form").onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem("totphog-api-key", $("key").value);
      $("key-dialog").close();
      asking = null;
      resolve();
    };
  });
  return asking;
}

$("key-dialog").addEventListener("cancel", (event) => event.preventDefault());

// Time: the server's, of which the page knows how far it is from its own

const clock = { mode: "live", time: 0, offset: null };

const now = () => (clock.mode === "frozen" ? clock.time : performance.now() / 1000 + clock.offset);
const timeOfDay = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);

function setClock(answer, askedAt, answeredAt) {
  const offset = answer.time - (askedAt + answeredAt) / 2000;
  const moved =
    answer.mode !== clock.mode ||
    (answer.mode === "frozen" ? answer.time !== clock.time : Math.abs(offset - clock.offset) > 0.1);
  clock.mode = answer.mode;
  clock.time = answer.time;
  if (moved || answer.mode === "live" && clock.offset === null) clock.offset = offset;
  document.body.dataset.mode = $("clock").dataset.mode = clock.mode;
  renderClock();
  if (moved) for (const card of cards.values()) turnRing(card);
}

function renderClock() {
  const frozen = clock.mode === "frozen";
  text($("clock-mode"), frozen ? "Frozen" : "Live");
  $("clock-live").hidden = frozen;
  $("clock-frozen").hidden = $("clock-now").hidden = !frozen;
  if (!frozen) return text($("clock-note"), "Codes follow the system’s time.");
  const date = new Date(clock.time * 1000).toLocaleDateString("en-GB", {
    weekday: "short", day: "numeric", month: "long", year: "numeric", timeZone: "UTC",
  });
  const small = document.createElement("small");
  small.textContent = `${date} · UTC`;
  $("clock-now").replaceChildren(timeOfDay(clock.time), small);
  text($("clock-note"), `${Math.ceil(nextBoundary() - clock.time)} s before the step ends.`);
}

function nextBoundary() {
  const time = now();
  const periods = new Set([...cards.values()].map((card) => card.token.period));
  if (!periods.size) periods.add(DEFAULT_PERIOD);
  return Math.min(...[...periods].map((period) => (Math.floor(time / period) + 1) * period));
}

const onClock = (id, request) => $(id).addEventListener("click", () => attempt(() => moveClock(...request())));

async function moveClock(path, method, body) {
  const asked = performance.now();
  setClock(await send(path, { method, body }), asked, performance.now());
  await refresh();
}

onClock("freeze", () => ["clock", "PUT", { frozen_at: Math.floor(now()) }]);
onClock("tick", () => ["clock/tick", "POST", { seconds: 1 }]);
onClock("tick-ten", () => ["clock/tick", "POST", { seconds: 10 }]);
onClock("next-step", () => ["clock/tick", "POST", { seconds: nextBoundary() - clock.time }]);
onClock("release", () => ["clock", "DELETE"]);
$("freeze-elsewhen").addEventListener("toggle", () => {
  $("freeze-at").value = new Date(Math.floor(now()) * 1000).toISOString().slice(0, 19);
});
$("freeze-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => moveClock("clock", "PUT", { frozen_at: `${$("freeze-at").value}Z` }));
});

// Cards

const cards = new Map(); // by the token's id
const label = (token) => [token.issuer, token.name].filter(Boolean).join(" ");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

function grouped(code) {
  const middle = code.length === 8 ? 4 : 3;
  return `${code.slice(0, middle)} ${code.slice(middle)}`;
}

function makeCard(token) {
  const element = $("card").content.firstElementChild.cloneNode(true);
  const part = (name) => element.querySelector(`.${name}`);
  const card = { token, element, digits: part("digits"), next: part("next"), until: part("until"), rings: [] };
  const named = label(token);
  part("issuer").textContent = token.issuer || token.name;
  part("name").textContent = token.issuer ? token.name : "";
  element.querySelector("h3").title = named;
  const usual = token.algorithm === "sha1";
  const kind = usual ? `${token.digits} digits` : token.algorithm.replace("sha", "SHA-");
  part("shape").textContent = `${kind} · ${token.period} s`;
  part("code").firstElementChild.textContent = `Copy the code of ${named}: `;
  for (const [name, says] of [["copy", "Copy the code of"], ["qr", "Show the QR code of"], ["delete", "Delete"]]) {
    part(name).setAttribute("aria-label", `${says} ${named}`);
    part(name).title = name === "qr" ? "QR code" : name[0].toUpperCase() + name.slice(1);
  }
  part("code").onclick = part("copy").onclick = () => copy(card.token.current_code.code, `Copied the code of ${named}`);
  part("qr").onclick = () => attempt(() => showQr(card.token));
  part("delete").onclick = () => attempt(() => deleteToken(card));
  card.ring = part("ring");
  // Only the rings that are on the screen turn.
  element.addEventListener("contentvisibilityautostatechange", (event) => {
    card.visible = !event.skipped;
    turnRing(card);
  });
  return card;
}

// The ring is two half discs. Their animations begin with the token's time step, whenever they are made.
function turnRing(card) {
  for (const ring of card.rings) ring.cancel();
  card.rings = [];
  if (!card.visible || clock.offset === null) return;
  const duration = card.token.period * 1000;
  const [none, all] = [{ transform: "rotate(0deg)" }, { transform: "rotate(180deg)" }];
  const easing = calm.matches ? "steps(3)" : "linear";
  const halves = [
    [{ ...none, easing }, { ...all, offset: 0.5 }, all],
    [none, { ...none, offset: 0.5, easing }, all],
  ];
  const elapsed = (now() % card.token.period) * 1000;
  [...card.ring.querySelectorAll("b")].forEach((half, index) => {
    const ring = half.animate(halves[index], { duration, iterations: Infinity });
    if (clock.mode === "frozen") {
      ring.pause();
      ring.currentTime = elapsed;
    } else {
      ring.startTime = performance.now() - elapsed;
    }
    card.rings.push(ring);
  });
}

calm.addEventListener("change", () => cards.forEach(turnRing));

function updateCard(card, token) {
  card.token = token;
  const { code, next_code: next, generated_at: at } = token.current_code;
  card.until_time = (Math.floor(Date.parse(at) / 1000 / token.period) + 1) * token.period;
  text(card.digits, grouped(code));
  text(card.next, `next ${grouped(next)}`);
  text(card.until, `until ${timeOfDay(card.until_time)}`);
}

function markEnding() {
  const time = now();
  for (const card of cards.values()) {
    const ending = card.token.period > 2 * ENDING_SECONDS && card.until_time - time <= ENDING_SECONDS;
    if (card.ending !== ending) card.element.classList.toggle("ending", (card.ending = ending));
  }
}

async function renderTokens(tokens) {
  const present = new Set(tokens.map((token) => token.id));
  for (const [id, card] of cards) {
    if (present.has(id)) continue;
    card.rings.forEach((ring) => ring.cancel());
    card.element.remove();
    cards.delete(id);
  }
  const list = $("cards");
  let place = list.firstElementChild;
  let made = 0;
  for (const token of tokens) {
    let card = cards.get(token.id);
    if (!card) {
      if (++made % 40 === 0) await delay(0); // hundreds of new cards must not hold up the browser
      card = makeCard(token);
      cards.set(token.id, card);
    }
    updateCard(card, token);
    if (card.element === place) place = place.nextElementSibling;
    else list.insertBefore(card.element, place);
  }
  $("empty").hidden = tokens.length > 0;
  $("delete-all").hidden = document.querySelector(".search").hidden = tokens.length === 0;
  search();
}

function search() {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const { token, element } of cards.values()) {
    const haystack = `${token.issuer} ${token.name} ${token.id}`.toLowerCase();
    const matches = words.every((word) => haystack.includes(word));
    element.hidden = !matches;
    found += matches;
  }
  text($("count"), words.length ? `${found} of ${cards.size}` : cards.size ? String(cards.size) : "");
  $("none-found").hidden = found > 0 || cards.size === 0;
  text($("none-found"), found ? "" : `No token matches “${$("search").value}”.`);
}

$("search").addEventListener("input", search);

async function copy(value, says) {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    // Over plain http from another machine there is no clipboard API.
    const field = Object.assign(document.createElement("textarea"), { value });
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (!copied) return toast("The browser does not let this page copy.", { bad: true });
  }
  toast(says);
}

async function showQr(token) {
  const picture = URL.createObjectURL(await send(`tokens/${token.id}/qr`, { as: "blob" }));
  $("qr-title").textContent = label(token);
  $("qr-picture").src = picture;
  $("qr-picture").alt = `QR code of ${label(token)}`;
  $("qr-secret").textContent = token.secret.match(/.{1,4}/g).join(" ");
  $("qr-dialog").querySelector("details").open = false;
  $("copy-secret").onclick = () => copy(token.secret, "Copied the secret");
  $("qr-dialog").showModal();
  $("qr-dialog").onclose = () => {
    URL.revokeObjectURL(picture);
    $("qr-picture").removeAttribute("src");
    $("qr-secret").textContent = "";
  };
}

// Deleting, and adding again what was deleted

const recipe = ({ name, issuer, secret, digits, period, algorithm }) => ({ name, issuer, secret, digits, period, algorithm });

async function deleteToken(card) {
  await send(`tokens/${card.token.id}`, { method: "DELETE" });
  const neighbour = card.element.nextElementSibling ?? card.element.previousElementSibling;
  offerUndo([card.token], `Deleted ${label(card.token)}`);
  await refresh();
  (neighbour?.isConnected ? neighbour.querySelector(".delete") : $("tokens")).focus();
}

$("delete-all").addEventListener("click", () =>
  attempt(async () => {
    const tokens = [...cards.values()].map((card) => card.token);
    await send("tokens", { method: "DELETE" });
    offerUndo(tokens, tokens.length === 1 ? "Deleted 1 token" : `Deleted ${tokens.length} tokens`);
    await refresh();
    $("tokens").focus();
  }),
);

let undo = null;

function offerUndo(tokens, says) {
  const waiting = tokens.map(recipe);
  const mine = () =>
    attempt(async () => {
      if (undo === mine) undo = null;
      try {
        // One after the other, so that their order stays; what is back is not added twice by a second attempt.
        while (waiting.length) {
          await send("tokens", { method: "POST", body: waiting[0] });
          waiting.shift();
        }
      } catch (error) {
        toast(`${waiting.length} of ${tokens.length} not put back`, { bad: true, action: ["Try again", mine] });
        throw error;
      } finally {
        await refresh();
      }
      toast(tokens.length === 1 ? `${label(tokens[0])} is back` : `${tokens.length} tokens are back`);
    });
  undo = mine;
  toast(says, { action: ["Undo", mine] });
}

// Adding

const addDialog = $("add-dialog");

function openAdd() {
  $("add-error").textContent = "";
  if (!addDialog.open) addDialog.showModal();
}

$("add").onclick = $("add-first").onclick = openAdd;

async function addToken(body) {
  let token;
  try {
    const { data } = await send("tokens", { method: "POST", body });
    token = Array.isArray(data) ? data[0] : data;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    openAdd();
    $("add-error").textContent = error.message;
    return;
  }
  addDialog.close();
  $("hand-form").reset();
  $("uri").value = "";
  requireHand();
  $("search").value = "";
  toast(`Added ${label(token)}`);
  await refresh();
  cards.get(token.id)?.element.scrollIntoView({ block: "nearest" });
}

const addUri = (uri) => attempt(() => addToken({ uri: uri.trim() }));
const isUri = (value) => /^\s*otpauth/i.test(value);

const addPicture = (file) =>
  attempt(async () => {
    const reader = new FileReader();
    const read = new Promise((resolve, reject) => {
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(new ApiError("The file cannot be read."));
    });
    reader.readAsDataURL(file.size > MAX_PICTURE_BYTES ? await smaller(file) : file);
    await addToken({ image: await read });
  });

async function smaller(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) throw new ApiError("This is no picture that the browser can read.");
  // As large as fits: a small code on a large screen must stay readable.
  for (let side = 4000; ; side *= 0.75) {
    const scale = Math.min(1, side / Math.max(picture.width, picture.height));
    const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
    if (blob.size <= MAX_PICTURE_BYTES || side < 400) return blob;
  }
}

function requireHand() {
  const byHand = !$("uri").value.trim();
  for (const id of ["name", "secret", "period"]) $(id).required = byHand;
}

$("uri").addEventListener("input", requireHand);
$("uri").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  $("hand-form").requestSubmit();
});
$("hand-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const uri = $("uri").value.trim();
  if (uri) return addUri(uri);
  const body = { name: $("name").value, secret: $("secret").value, algorithm: $("algorithm").value };
  if ($("issuer").value) body.issuer = $("issuer").value;
  attempt(() => addToken({ ...body, digits: Number($("digits").value), period: Number($("period").value) }));
});
$("random").onclick = () => {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  $("secret").value = Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => letters[byte % 32]).join("");
};
$("picture").addEventListener("change", (event) => {
  if (event.target.files.length) addPicture(event.target.files[0]);
  event.target.value = "";
});
for (const button of document.querySelectorAll("dialog .close, dialog .close-text")) {
  button.onclick = () => button.closest("dialog").close();
}
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("close", () => document.body.append($("toasts")));
}

addEventListener("paste", (event) => {
  if ($("key-dialog").open) return;
  const [file] = event.clipboardData.files;
  if (file) {
    event.preventDefault();
    return addPicture(file);
  }
  const pasted = event.clipboardData.getData("text");
  const typing = event.target.closest?.("input, textarea");
  if (isUri(pasted) && (!typing || typing === $("uri"))) {
    event.preventDefault();
    $("uri").value = pasted.trim();
    requireHand();
    addUri(pasted);
  }
});

const dragsFile = (event) => [...event.dataTransfer.types].some((type) => type === "Files" || type === "text/plain");
addEventListener("dragover", (event) => {
  if (!dragsFile(event) || $("key-dialog").open) return;
  event.preventDefault();
  $("drop").hidden = false;
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("drop").hidden = true;
});
addEventListener("drop", (event) => {
  $("drop").hidden = true;
  const [file] = event.dataTransfer.files;
  const dropped = event.dataTransfer.getData("text");
  if (!file && !isUri(dropped)) return;
  event.preventDefault();
  if (file) addPicture(file);
  else addUri(dropped);
});

addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  if (event.key === "/" && !typing && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    $("search").focus();
  } else if (event.key === "Escape" && event.target === $("search")) {
    $("search").value = "";
    search();
  } else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !typing && undo) {
    event.preventDefault();
    undo();
  }
});

// The timeline

const events = [];

function renderEvents(fresh) {
  if (!fresh.length) return;
  events.push(...fresh);
  events.splice(0, events.length - SHOWN_EVENTS);
  const list = $("timeline");
  list.prepend(...fresh.slice(-SHOWN_EVENTS).map(eventItem).reverse());
  while (list.childElementCount > SHOWN_EVENTS) list.lastElementChild.remove();
  list.hidden = false;
  $("timeline-empty").hidden = true;
}

function eventItem(event) {
  const item = document.createElement("li");
  const strong = (value) => Object.assign(document.createElement("strong"), { textContent: value });
  const meta = Object.assign(document.createElement("span"), { className: "meta" });
  const handedOut = event.kind === "one-time-code";
  item.className = handedOut ? "handed-out" : `verify ${event.verdict}`;
  const what = handedOut ? "One-time code" : event.verdict === "accepted" ? "Accepted" : "Refused";
  item.append(strong(what), handedOut ? " of " : " a code of ", label(event), handedOut ? " to " : ", asked by ");
  item.append(Object.assign(document.createElement("code"), { textContent: event.holder }), meta);
  meta.textContent = `${timeOfDay(event.at)} · step ${event.step}`;
  return item;
}

// What the page says

function toast(says, { action, bad = false } = {}) {
  const element = document.createElement("div");
  element.className = bad ? "toast bad" : "toast";
  element.append(Object.assign(document.createElement("span"), { textContent: says }));
  if (action) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: action[0] });
    button.onclick = () => {
      element.remove();
      action[1]();
    };
    element.append(button);
  }
  const toasts = $("toasts");
  // A toast below a modal dialog could not be seen, let alone clicked.
  (document.querySelector("dialog[open]") ?? document.body).append(toasts);
  toasts.append(element);
  while (toasts.childElementCount > 3) toasts.firstElementChild.remove();
  const leave = () => (element.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : element.remove());
  setTimeout(leave, TOAST_SECONDS * 1000);
}

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    if (error instanceof ApiError) toast(error.message, { bad: true });
    else if (error instanceof Unreachable) lose();
    else throw error;
  }
}

// Looking: at a step's end, when the page is looked at again, and after everything it does

let timer = null;
let failures = 0;
let looking = null;
let again = false;

function refresh() {
  if (looking) {
    again = true;
    return looking;
  }
  looking = look().finally(() => {
    looking = null;
    if (again) {
      again = false;
      refresh();
    }
  });
  return looking;
}

async function look() {
  clearTimeout(timer);
  try {
    const asked = performance.now();
    let answered;
    const [time, codes, journal] = await Promise.all([
      send("clock").then((answer) => ((answered = performance.now()), answer)),
      send("codes?next=true"),
      send(`events?after=${events.at(-1)?.id ?? 0}`),
    ]);
    setClock(time, asked, answered);
    await renderTokens(codes.data);
    renderClock();
    renderEvents(journal.data);
  } catch (error) {
    if (error instanceof Unreachable) return lose();
    if (error instanceof ApiError) toast(error.message, { bad: true });
    else throw error;
  }
  if (failures) toast("The server is back.");
  failures = 0;
  $("offline").hidden = true;
  document.body.classList.remove("stale");
  document.body.dataset.ready = "true";
  wait();
}

function lose() {
  document.body.classList.add("stale");
  $("offline").hidden = false;
  failures += 1;
  clearTimeout(timer);
  timer = document.hidden ? null : setTimeout(refresh, RETRY_SECONDS[Math.min(failures, RETRY_SECONDS.length) - 1] * 1000);
}

// One timer, for what is next: the end of a step, or the last seconds before it.
function wait() {
  clearTimeout(timer);
  if (document.hidden) return;
  markEnding();
  if (clock.mode === "frozen") {
    timer = setTimeout(refresh, IDLE_SECONDS * 1000);
    return;
  }
  const end = nextBoundary();
  const left = end - now();
  const begin = left - ENDING_SECONDS;
  // A little late rather than early: the server must be in the new step.
  timer = begin > 0 ? setTimeout(wait, begin * 1000 + 20) : setTimeout(refresh, left * 1000 + 30);
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
addEventListener("focus", () => refresh());
addEventListener("online", () => refresh());
$("retry").onclick = () => refresh();

const namespace = /\/namespaces\/([^/]+)\/$/.exec(location.pathname)?.[1];
if (namespace) {
  $("namespace").textContent = namespace;
  $("namespace").hidden = false;
  document.title = `${namespace} – TOTPHog`;
}
refresh();
