// Small conveniences; every page works without them.
(() => {
  "use strict";

  document.documentElement.dataset.scripted = "";

  const remembered = { type: "huiliu-type", contrast: "huiliu-contrast" };
  for (const [name, key] of Object.entries(remembered)) {
    const value = window.localStorage.getItem(key);
    if (value) document.documentElement.dataset[name] = value;
  }

  const foldNavigation = () => {
    const button = document.querySelector("[data-nav-toggle]");
    const nav = document.getElementById("nav");
    if (!button || !nav) return;
    const fold = (folded) => {
      nav.dataset.folded = String(folded);
      button.setAttribute("aria-expanded", String(!folded));
    };
    fold(true);
    button.addEventListener("click", () => fold(nav.dataset.folded !== "true"));
  };

  const showWhereWeAre = () => {
    const nav = document.getElementById("nav");
    const here = nav?.querySelector('[aria-current="page"]');
    if (!here) return;
    const below = here.offsetTop + here.offsetHeight - nav.clientHeight;
    if (below > 0) nav.scrollTop = below + nav.clientHeight / 3;
  };

  const switchReading = () => {
    document.querySelectorAll("[data-reading]").forEach((button) => {
      const name = button.dataset.reading;
      const on = () => document.documentElement.dataset[name] === button.dataset.value;
      const show = () => button.setAttribute("aria-pressed", String(on()));
      button.hidden = false;
      show();
      button.addEventListener("click", () => {
        if (on()) {
          delete document.documentElement.dataset[name];
          window.localStorage.removeItem(remembered[name]);
        } else {
          document.documentElement.dataset[name] = button.dataset.value;
          window.localStorage.setItem(remembered[name], button.dataset.value);
        }
        show();
      });
    });
  };

  const openDialogs = () => {
    document.querySelectorAll("[data-dialog]").forEach((opener) => {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (!dialog || !dialog.showModal) return;
      opener.addEventListener("click", (event) => {
        event.preventDefault();
        dialog.showModal();
      });
    });
    document.querySelectorAll("[data-close-dialog]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => button.closest("dialog").close());
    });
  };

  const pickPerson = () => {
    document.querySelectorAll("[data-fill-login]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => {
        const form = document.querySelector("form[data-login]");
        form.querySelector("[name=login]").value = button.dataset.fillLogin;
        form.querySelector("[name=password]").value = button.dataset.fillPassword;
        form.requestSubmit ? form.requestSubmit() : form.submit();
      });
    });
  };

  const DRAFT = "huiliu-draft:";
  const forgetDrafts = (wanted) => {
    Object.keys(window.localStorage)
      .filter((key) => key.startsWith(DRAFT) && wanted(key.slice(DRAFT.length)))
      .forEach((key) => window.localStorage.removeItem(key));
  };

  // What is typed is kept in this browser until the server has it, so that a closed window or an
  // ended session loses nothing. A key reads "<subject>:<revision>:<form>"; a page about a later
  // revision of the subject forgets what was kept for earlier ones, and signing out forgets all.
  const keepDrafts = () => {
    document.querySelectorAll("[data-saved]").forEach((mark) => {
      const [subject, revision] = mark.dataset.saved.split(":");
      forgetDrafts((key) => key.startsWith(`${subject}:`) && key.split(":")[1] !== revision);
    });
    document.querySelectorAll("form[data-forget-drafts]").forEach((form) => {
      form.addEventListener("submit", () => forgetDrafts(() => true));
    });
    document.querySelectorAll("form[data-keep]").forEach((form) => {
      const key = DRAFT + form.dataset.keep;
      const fields = () =>
        [...form.elements].filter((field) => field.name && field.type !== "hidden"
          && field.type !== "file" && field.type !== "password" && field.type !== "submit");
      const note = form.querySelector("[data-keep-note]");
      const kept = JSON.parse(window.localStorage.getItem(key) || "null");
      const untouched = form.dataset.keepFresh === "true";
      if (kept && untouched) {
        fields().forEach((field) => {
          if (!(field.name in kept)) return;
          if (field.type === "checkbox" || field.type === "radio") {
            field.checked = kept[field.name].includes(field.value);
          } else {
            [field.value] = kept[field.name];
          }
        });
        if (note) note.hidden = false;
      }
      const keep = () => {
        const values = {};
        fields().forEach((field) => {
          values[field.name] = values[field.name] || [];
          const ticked = field.type === "checkbox" || field.type === "radio";
          if (!ticked || field.checked) values[field.name].push(field.value);
        });
        window.localStorage.setItem(key, JSON.stringify(values));
      };
      form.addEventListener("input", keep);
      const forget = form.querySelector("[data-keep-forget]");
      if (forget) {
        forget.addEventListener("click", () => {
          window.localStorage.removeItem(key);
          window.location.reload();
        });
      }
    });
  };

  const tickAll = () => {
    document.querySelectorAll("input[data-tick-all]").forEach((master) => {
      const boxes = () => [...document.querySelectorAll(`input[name="${master.dataset.tickAll}"]`)];
      const follow = () => { master.checked = boxes().length > 0 && boxes().every((box) => box.checked); };
      master.hidden = false;
      master.addEventListener("change", () => {
        boxes().forEach((box) => { if (!box.disabled) box.checked = master.checked; });
      });
      boxes().forEach((box) => box.addEventListener("change", follow));
      follow();
    });
  };

  // A list of texts to choose from: choosing one writes it into the field below.
  const offerTexts = () => {
    document.querySelectorAll("[data-offers-for]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => {
        const field = document.getElementById(button.dataset.offersFor);
        const text = button.dataset.text;
        field.value = field.value.trim() ? `${field.value.trim()}\n${text}` : text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.focus();
      });
    });
  };

  // The codes of the chosen item, while its value is typed.
  const offerCodes = () => {
    document.querySelectorAll(".builder__line").forEach((line) => {
      const item = line.querySelector("select[name^=item-]");
      const value = line.querySelector("input[name^=value-]");
      if (!item || !value) return;
      const offer = () => {
        const list = `codes-of-${item.value}`;
        if (document.getElementById(list)) value.setAttribute("list", list);
        else value.removeAttribute("list");
      };
      offer();
      item.addEventListener("change", offer);
    });
  };

  const submitOnChange = () => {
    document.querySelectorAll("select[data-submit]").forEach((select) => {
      select.addEventListener("change", () => select.form.submit());
    });
    document.querySelectorAll("[data-print]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => window.print());
    });
  };

  // Where the browser keeps the clipboard from pages without https, the old command copies.
  const copyTexts = () => {
    document.querySelectorAll("button[data-copy]").forEach((button) => {
      const source = document.getElementById(button.dataset.copy);
      const told = button.parentElement.querySelector("[role=status]");
      const copy = async () => {
        window.getSelection().selectAllChildren(source);
        try {
          await window.navigator.clipboard.writeText(source.textContent);
          return true;
        } catch {
          return document.execCommand("copy");
        }
      };
      button.hidden = false;
      button.addEventListener("click", async () => {
        told.textContent = await copy() ? button.dataset.copied : button.dataset.selected;
      });
    });
  };

  // Choices of filters saved by name, in this browser.
  const saveViews = () => {
    document.querySelectorAll("[data-saved-views]").forEach((place) => {
      const key = `huiliu-views:${place.dataset.savedViews}`;
      const views = () => JSON.parse(window.localStorage.getItem(key) || "{}");
      const keep = (all) => window.localStorage.setItem(key, JSON.stringify(all));
      const make = (tag, text, name) => {
        const element = document.createElement(tag);
        element.textContent = text;
        element.className = name;
        return element;
      };
      const draw = () => {
        place.replaceChildren();
        Object.entries(views()).forEach(([name, query]) => {
          const chip = make("a", name, "chip");
          chip.href = query || "?";
          if (query === window.location.search) chip.setAttribute("aria-current", "true");
          const drop = make("button", "×", "link-button chip__clear");
          drop.type = "button";
          drop.setAttribute("aria-label", `${place.dataset.dropLabel} ${name}`);
          drop.addEventListener("click", () => {
            const all = views();
            delete all[name];
            keep(all);
            draw();
          });
          place.append(chip, drop);
        });
        if (!window.location.search) return;
        const form = make("form", "", "filters__group");
        const field = document.createElement("input");
        field.maxLength = 20;
        field.required = true;
        field.placeholder = place.dataset.nameLabel;
        field.setAttribute("aria-label", place.dataset.nameLabel);
        const save = make("button", place.dataset.saveLabel, "button button--small");
        form.append(field, save);
        form.addEventListener("submit", (event) => {
          event.preventDefault();
          keep({ ...views(), [field.value.trim()]: window.location.search });
          draw();
        });
        place.append(form);
      };
      place.hidden = false;
      draw();
    });
  };

  const begin = () => {
    [foldNavigation, showWhereWeAre, switchReading, openDialogs, pickPerson, keepDrafts, tickAll,
      offerTexts, offerCodes, submitOnChange, copyTexts, saveViews].forEach((start) => start());
    const summary = document.querySelector(".errors");
    if (summary) summary.focus();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
