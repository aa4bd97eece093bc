// Handing a file in shows how far it is; a running batch's page keeps itself up to date.
// Both pages work without this.
(() => {
  "use strict";

  // A large file goes in parts, so that a broken connection or a closed window loses nothing.
  const inParts = async (form, bar, note, button, begun) => {
    const { send, Refused } = window.huiliuUpload;
    const show = (done, total, resumedAt) => {
      bar.max = total;
      bar.value = done;
      const sent = done - resumedAt;
      const seconds = (Date.now() - begun) / 1000;
      const left = sent > 0 ? Math.ceil(((total - done) * seconds) / sent) : null;
      const words = left === null ? note.dataset.resumed : note.dataset.words;
      note.textContent = words
        .replace("%percent%", Math.floor((done / total) * 100))
        .replace("%seconds%", left);
    };
    const onBreak = (seconds) => {
      note.textContent = note.dataset.broken.replace("%seconds%", seconds);
    };
    try {
      window.location.assign(await send(form, show, onBreak));
    } catch (error) {
      button.disabled = false;
      note.textContent = error instanceof Refused ? error.message : note.dataset.unreadable;
    }
  };

  const showUpload = (form) => {
    const shown = form.querySelector("[data-upload-progress]");
    const bar = shown.querySelector("progress");
    const note = shown.querySelector("[data-upload-note]");
    const button = form.querySelector("button[type=submit]");
    form.addEventListener("submit", (event) => {
      if (!window.FormData || !window.XMLHttpRequest) return;
      event.preventDefault();
      const begun = Date.now();
      button.disabled = true;
      shown.hidden = false;
      if (window.huiliuUpload && window.huiliuUpload.wanted(form)) {
        inParts(form, bar, note, button, begun);
        return;
      }
      const request = new XMLHttpRequest();
      request.upload.addEventListener("progress", (step) => {
        if (!step.lengthComputable) return;
        bar.max = step.total;
        bar.value = step.loaded;
        if (step.loaded >= step.total) {
          note.textContent = note.dataset.sent;
          return;
        }
        const seconds = (Date.now() - begun) / 1000;
        const left = Math.ceil(((step.total - step.loaded) * seconds) / Math.max(step.loaded, 1));
        note.textContent = note.dataset.words
          .replace("%percent%", Math.floor((step.loaded / step.total) * 100))
          .replace("%seconds%", left);
      });
      request.addEventListener("load", () => {
        if (request.responseURL && !request.responseURL.endsWith(window.location.pathname)) {
          window.location.assign(request.responseURL);
          return;
        }
        // The form again, with what is wrong with it.
        const page = new DOMParser().parseFromString(request.responseText, "text/html");
        const main = page.getElementById("main");
        document.getElementById("main").replaceWith(main);
        main.querySelectorAll("form[data-upload]").forEach(showUpload);
        const summary = main.querySelector(".errors");
        if (summary) summary.focus();
      });
      request.addEventListener("error", () => {
        button.disabled = false;
        note.textContent = note.dataset.failed;
      });
      request.open("POST", form.action || window.location.href);
      request.send(new FormData(form));
    });
  };

  const keepFresh = (place) => {
    const again = async () => {
      let answer;
      try {
        answer = await fetch(place.dataset.refresh, { credentials: "same-origin" });
      } catch {
        window.setTimeout(again, 5000);
        return;
      }
      if (answer.status !== 200) {
        window.location.reload();
        return;
      }
      place.innerHTML = await answer.text();
      window.setTimeout(again, 1500);
    };
    window.setTimeout(again, 1500);
  };

  const begin = () => {
    document.querySelectorAll("form[data-upload]").forEach(showUpload);
    document.querySelectorAll("[data-refresh]").forEach(keepFresh);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
