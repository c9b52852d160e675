const [passwordStep, codeStep, welcome] = document.querySelectorAll("form, section");
const alert = document.querySelector("[role=alert]");
const code = document.getElementById("code");

// The API keeps nothing between the steps: the second one sends the password again, with the code.
passwordStep.addEventListener("submit", (event) => logIn(event, {}));
codeStep.addEventListener("submit", (event) => logIn(event, { totpCode: code.value.trim() }));

document.getElementById("use-backup-code").addEventListener("click", ({ target }) => {
  document.querySelector("label[for=code]").textContent = "Backup code";
  code.inputMode = "text";
  code.focus();
  target.disabled = true;
});

async function logIn(event, second) {
  event.preventDefault();
  const button = event.target.querySelector("button");
  button.disabled = true; // a double click would spend the code twice
  alert.textContent = "";
  try {
    const { email, password } = Object.fromEntries(new FormData(passwordStep));
    const response = await fetch("api/auth/login", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Requested-With": "totphog" }, // see the gate
      body: JSON.stringify({ email, password, ...second }),
    });
    proceed(await response.json(), event.target);
  } catch {
    alert.textContent = "The server does not answer.";
  } finally {
    button.disabled = false;
  }
}

function proceed(answer, form) {
  if (answer.success) {
    document.getElementById("user").textContent = answer.user.email;
    passwordStep.reset();
    codeStep.reset();
    show(welcome);
  } else if (answer.requiresTOTP) {
    document.getElementById("demand").textContent = answer.message;
    show(codeStep);
  } else {
    alert.textContent = answer.error;
    const field = [...form.querySelectorAll("input")].at(-1);
    field.focus();
    field.select();
  }
}

function show(step) {
  for (const other of [passwordStep, codeStep, welcome]) other.hidden = other !== step;
  document.title = `${step.querySelector("h1").textContent} · 2FA Demo`;
  (step.querySelector("input") ?? step.querySelector("h1")).focus();
}
