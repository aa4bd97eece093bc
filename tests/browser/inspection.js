// What is wrong with the page as it stands, one sentence per fault. Run by test_every_page.py.
(narrow) => {
  const faults = [];
  const root = document.documentElement;
  if (narrow && root.scrollWidth > window.innerWidth) {
    faults.push(`wider than the window: ${root.scrollWidth}`);
  }
  if (!document.title.trim()) faults.push("no title");
  if (!root.lang) faults.push("no language");
  const heads = [...document.querySelectorAll("h1")].filter((head) => head.innerText.trim());
  if (heads.length !== 1) faults.push(`${heads.length} headings of the first level`);

  const isShown = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && getComputedStyle(element).visibility === "visible";
  };
  const named = (field) => field.labels?.length || field.ariaLabel || field.title
    || field.getAttribute("aria-labelledby");
  for (const field of document.querySelectorAll("input, select, textarea")) {
    const silent = ["hidden", "submit", "button"].includes(field.type) || !isShown(field);
    if (!silent && !named(field)) faults.push(`no label: ${field.outerHTML.slice(0, 120)}`);
  }
  for (const head of document.querySelectorAll("thead th")) {
    const name = head.textContent.trim() || head.querySelector("[aria-label]");
    if (!name) faults.push(`a column without a name: ${head.outerHTML.slice(0, 120)}`);
  }

  // Contrast as WCAG counts it: 4.5 to 1, large type 3 to 1.
  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const parsed = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, ground) => {
    const share = top[3] / 255;
    return [0, 1, 2].map((index) => top[index] * share + ground[index] * (1 - share));
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = parsed(getComputedStyle(at).backgroundColor);
      layers.push(layer);
      if (layer[3] === 255) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const light = (colour) => {
    const [red, green, blue] = colour.map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || seen.has(element) || !isShown(element)) continue;
    seen.add(element);
    if (element.closest("[aria-hidden=true], [aria-disabled=true], :disabled, option")) continue;
    const style = getComputedStyle(element);
    const behind = ground(element);
    const pair = [light(over(parsed(style.color), behind)), light(behind)].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) {
      faults.push(`contrast ${ratio.toFixed(2)}: ${text.slice(0, 30)} (${element.className})`);
    }
    if (size < 12) faults.push(`type of ${size} px: ${text.slice(0, 30)} (${element.className})`);
  }
  return [...new Set(faults)];
}
