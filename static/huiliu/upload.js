// Sends a large file in parts with a checksum each, and goes on where it stopped: after a broken
// connection by itself, after a reload or days later when the same file is chosen again.
(() => {
  "use strict";

  const RETRIES_SECONDS = [1, 2, 4, 8, 15, 30];

  // SHA-256 where the browser withholds its own: pages served without TLS inside a network.
  // Source: FIPS 180-4
  const K = [];
  const H = [];
  for (let n = 2; K.length < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n && prime; d += 1) prime = n % d !== 0;
    if (prime) {
      const bits = (root) => Math.floor((root - Math.floor(root)) * 4294967296) | 0;
      if (H.length < 8) H.push(bits(Math.sqrt(n)));
      K.push(bits(Math.cbrt(n)));
    }
  }
  const turn = (value, by) => (value >>> by) | (value << (32 - by));
  const block = (state, words) => {
    for (let i = 16; i < 64; i += 1) {
      const x = words[i - 15];
      const y = words[i - 2];
      const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
      const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
      words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const big1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const t1 = (h + big1 + ((e & f) ^ (~e & g)) + K[i] + words[i]) | 0;
      const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { state[i] = (state[i] + value) | 0; });
  };
  const slowDigest = (buffer) => {
    const length = buffer.byteLength;
    const padded = new Uint8Array(((length + 72) >> 6) << 6);
    padded.set(new Uint8Array(buffer));
    padded[length] = 128;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, Math.floor(length / 536870912));
    view.setUint32(padded.length - 4, (length << 3) >>> 0);
    const state = Int32Array.from(H);
    const words = new Int32Array(64);
    for (let at = 0; at < padded.length; at += 64) {
      for (let i = 0; i < 16; i += 1) words[i] = view.getInt32(at + i * 4);
      block(state, words);
    }
    const out = new DataView(new ArrayBuffer(32));
    state.forEach((value, i) => out.setInt32(i * 4, value));
    return out.buffer;
  };
  const digest = async (buffer) => new Uint8Array(
    window.crypto.subtle ? await window.crypto.subtle.digest("SHA-256", buffer) : slowDigest(buffer),
  );
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const base64 = (bytes) => window.btoa(String.fromCharCode(...bytes));

  const fingerprint = async (file, size) => {
    const first = hex(await digest(await file.slice(0, size).arrayBuffer()));
    const text = `${file.name}\n${file.size}\n${first}`;
    return hex(await digest(new TextEncoder().encode(text).buffer));
  };

  class Refused extends Error {}
  const pause = (seconds) => new Promise((after) => { window.setTimeout(after, seconds * 1000); });

  // Ask until there is an answer: what the server refuses is told, what breaks is tried again.
  const ask = async (form, method, url, headers, body, onBreak) => {
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    for (let attempt = 0; ; attempt += 1) {
      let answer = null;
      try {
        answer = await fetch(url, {
          method, body, credentials: "same-origin", headers: { ...headers, "X-CSRFToken": token },
        });
        if (answer.status < 500 || answer.status === 507) {
          const found = await answer.json();
          if (answer.ok) return found;
          if (found.code === "offset_mismatch") return found;
          if (found.code !== "upload_incomplete" && found.code !== "digest_mismatch") {
            throw new Refused(found.detail);
          }
        }
      } catch (error) {
        if (error instanceof Refused) throw error;
      }
      const seconds = RETRIES_SECONDS[Math.min(attempt, RETRIES_SECONDS.length - 1)];
      onBreak(seconds);
      await pause(seconds);
    }
  };

  const partBytes = (form) => Number(form.dataset.partBytes);
  const chosen = (form) => form.querySelector("input[type=file]").files[0];

  // Whether the form's file is large enough to go in parts.
  const wanted = (form) => {
    const file = form.dataset.partsUrl && window.fetch ? chosen(form) : null;
    return Boolean(file && file.slice && file.arrayBuffer && file.size > partBytes(form));
  };

  // Send it; `show(done, total, resumed)` and `onBreak(seconds)` tell how it goes. Returns the page
  // of the batch; throws Refused with words for the clerk.
  const send = async (form, show, onBreak) => {
    const file = chosen(form);
    const size = partBytes(form);
    const declared = form.querySelector("[name=declared]").value;
    const json = { "Content-Type": "application/json" };
    let upload = await ask(form, "POST", form.dataset.partsUrl, json, JSON.stringify({
      dataset: form.dataset.dataset,
      file_name: file.name,
      size_bytes: file.size,
      mode: form.querySelector("[name=mode]:checked").value,
      declared: declared === "" ? null : Number(declared),
      fingerprint: await fingerprint(file, size),
    }), onBreak);
    const url = `${form.dataset.partsUrl}/${upload.id}`;
    const resumedAt = upload.received_bytes;
    while (upload.received_bytes < file.size) {
      show(upload.received_bytes, file.size, resumedAt);
      const offset = upload.received_bytes;
      const part = await file.slice(offset, offset + size).arrayBuffer();
      const headers = {
        "Content-Type": "application/octet-stream",
        "Upload-Offset": String(offset),
        "Content-Digest": `sha-256=:${base64(await digest(part))}:`,
      };
      upload = await ask(form, "PATCH", url, headers, part, onBreak);
    }
    show(file.size, file.size, resumedAt);
    const batch = await ask(form, "POST", `${url}/finish`, {}, null, onBreak);
    return `/work/batches/${batch.id}/`;
  };

  window.huiliuUpload = { wanted, send, Refused, slowDigest, hex };
})();
