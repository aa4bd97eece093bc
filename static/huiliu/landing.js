// Handing a file in shows how far it is; a running batch's page keeps itself up to date.
// Both pages work without this.
(() => {
  "use strict";

  const showUpload = (form) => {
    const shown = form.querySelector("[data-upload-progress]");
    const bar = shown.querySelector("progress");
    const note = shown.querySelector("[data-upload-note]");
    const button = form.querySelector("button[type=submit]");
    form.addEventListener("submit", (event) => {
      if (!window.FormData || !window.XMLHttpRequest) return;
      event.preventDefault();
      const request = new XMLHttpRequest();
      const begun = Date.now();
      button.disabled = true;
      shown.hidden = false;
      request.upload.addEventListener("progress", (step) => {
        if (!step.lengthComputable) return;
        bar.max = step.total;
        bar.value = step.loaded;
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
