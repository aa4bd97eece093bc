// The console of a grant: asks for a token that lasts minutes, calls the data plane with it, shows
// what comes back. The token stays in this page's memory.
(() => {
  "use strict";

  const start = (root) => {
    const filters = JSON.parse(document.getElementById("console-filters").textContent);
    const find = (name) => root.querySelector(`[data-${name}]`);
    const [ask, answer, left] = ["ask", "answer", "left-shown"].map(find);
    let token = "";
    let ends = 0;
    let ticking = 0;

    const over = () => {
      token = "";
      window.clearInterval(ticking);
      left.textContent = root.dataset.over;
    };
    const tick = () => {
      const seconds = Math.round((ends - Date.now()) / 1000);
      if (seconds <= 0) {
        over();
        return;
      }
      const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      left.textContent = root.dataset.left.replace("%time%", time);
    };

    find("begin").addEventListener("click", async () => {
      const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;
      try {
        const drawn = await fetch(root.dataset.open, {
          method: "POST",
          headers: { "X-CSRFToken": csrf },
        });
        const told = await drawn.json();
        if (!drawn.ok) {
          left.textContent = told.detail;
          return;
        }
        token = told.token;
        ends = Date.parse(told.expires_at);
        window.clearInterval(ticking);
        ticking = window.setInterval(tick, 1000);
        tick();
        ask.hidden = false;
        find("operation").focus();
      } catch {
        left.textContent = root.dataset.failed;
      }
    });

    const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
    const curlOf = (address, body) => {
      const origin = window.location.origin;
      const lines = ['curl -sS -H "Authorization: Bearer $TOKEN"'];
      if (body !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${quoted(body)}`);
      return [...lines, quoted(origin + address)].join(" \\\n  ");
    };
    const pretty = (text, type) => {
      if (!text) return root.dataset.empty;
      if (!type.includes("json") || type.includes("ndjson")) return text;
      try {
        return JSON.stringify(JSON.parse(text), null, 2);
      } catch {
        return text;
      }
    };

    const parametersOf = (form) => {
      const words = new URLSearchParams();
      form.querySelectorAll("[name]").forEach((field) => {
        if (field.value.trim()) words.set(field.name, field.value.trim());
      });
      form.querySelectorAll(".console__filter").forEach((row) => {
        const [item, suffix, value] = ["item", "suffix", "value"].map(
          (name) => row.querySelector(`[data-${name}]`).value.trim(),
        );
        if (value) words.append(suffix ? `${item}__${suffix}` : item, value);
      });
      return words.toString();
    };

    const cursorOf = (response, text) => {
      const told = response.headers.get("Huiliu-Next-Cursor");
      if (told) return told;
      try {
        return JSON.parse(text).next || "";
      } catch {
        return "";
      }
    };

    const call = async (form) => {
      const words = parametersOf(form);
      const address = form.dataset.path + (words ? `?${words}` : "");
      const body = form.querySelector("[data-body]");
      const headers = { Authorization: `Bearer ${token}` };
      if (body) headers["Content-Type"] = "application/json";
      const begun = performance.now();
      find("curl").textContent = curlOf(address, body ? body.value : undefined);
      answer.hidden = false;
      try {
        const response = await fetch(address, {
          method: form.dataset.method,
          headers,
          body: body ? body.value : undefined,
          credentials: "omit",
        });
        const text = await response.text();
        const elapsed = Math.round(performance.now() - begun);
        find("status").textContent = `${response.status} ${response.statusText}`;
        find("timing").textContent = root.dataset.timingWords
          .replace("%ms%", elapsed.toLocaleString())
          .replace("%size%", text.length.toLocaleString());
        find("shown").textContent = pretty(text, response.headers.get("Content-Type") || "");
        const next = form.querySelector("[data-next]");
        next.dataset.cursor = response.ok ? cursorOf(response, text) : "";
        next.hidden = !next.dataset.cursor;
        if (response.status === 401) over();
      } catch {
        find("status").textContent = "";
        find("timing").textContent = "";
        find("shown").textContent = root.dataset.failed;
      }
      answer.scrollIntoView({ block: "nearest" });
    };

    const option = (value, words) => new Option(words, value);
    let rows = 0;
    const addFilter = (place) => {
      const row = document.querySelector("[data-filter-row]").content.cloneNode(true).firstChild;
      rows += 1;
      const [item, suffix, value] = ["item", "suffix", "value"].map((name) => {
        const field = row.querySelector(`[data-${name}]`);
        field.id = `filter-${name}-${rows}`;
        field.closest(".field").querySelector("label").htmlFor = field.id;
        return field;
      });
      filters.forEach((each) => item.append(option(each.name, `${each.label} ${each.name}`)));
      const known = () => {
        const chosen = filters.find((each) => each.name === item.value);
        suffix.replaceChildren(...chosen.suffixes.map(([name, words]) => option(name, words)));
        value.placeholder = chosen.example;
      };
      item.addEventListener("change", known);
      known();
      row.querySelector("[data-remove]").addEventListener("click", () => row.remove());
      place.append(row);
      item.focus();
    };

    find("operation").addEventListener("change", (event) => {
      root.querySelectorAll("[data-form]").forEach((form) => {
        form.hidden = form.dataset.form !== event.target.value;
      });
    });
    root.querySelectorAll("[data-form]").forEach((form) => {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        call(form);
      });
      form.querySelector("[data-next]").addEventListener("click", (event) => {
        form.querySelector("[name=cursor]").value = event.target.dataset.cursor;
        call(form);
      });
      const add = form.querySelector("[data-add-filter]");
      if (add) add.addEventListener("click", () => addFilter(form.querySelector("[data-filters]")));
    });
  };

  document.querySelectorAll("[data-console]").forEach(start);
})();
