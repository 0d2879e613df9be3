// Returns what is wrong with the slides of a page, in words; every fragment is shown while it is measured.
() => {
  const LETTERS = { text: 26, code: 20, plot: 14 };  // px at least; letters of a plot are 11 pt in a figure of full size
  const PLOT = 11 * 96 / 72;
  const faults = [];
  document.querySelectorAll(".fragment").forEach(part => part.classList.add("visible"));
  document.querySelectorAll(".slides > section").forEach((section, number) => {
    Reveal.slide(number);
    const say = fault => faults.push(`slide ${number + 1}: ${fault}`);
    const slide = section.querySelector(".slide"), foot = section.querySelector(".foot");
    const frame = slide.getBoundingClientRect();
    if (Math.round(frame.width) !== 1280 || Math.round(frame.height) !== 720) say(`${frame.width} × ${frame.height}`);
    const limit = { right: frame.right - 40, bottom: foot.getBoundingClientRect().top };
    const check = (box, what) => {
      if (!box.width || !box.height) return;
      if (box.right > limit.right || box.left < frame.left) say(`right of the slide: ${what}`);
      if (box.bottom > limit.bottom || box.top < frame.top) say(`below the slide: ${what}`);
    };
    const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, holder = node.parentElement, what = node.textContent.trim().slice(0, 40);
      if (!what || holder.closest(".foot")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      [...range.getClientRects()].forEach(box => check(box, what));
      const size = parseFloat(getComputedStyle(holder).fontSize);
      const least = holder.closest("pre, code, sub, sup, .kicker") ? LETTERS.code : LETTERS.text;
      if (size < least) say(`letters of ${size} px: ${what}`);
    }
    slide.querySelectorAll("img, pre, table").forEach(part => {
      check(part.getBoundingClientRect(), part.alt || part.tagName.toLowerCase());
      if (part.tagName === "IMG" && !part.naturalWidth) say(`a picture that is not shown: ${part.alt}`);
    });
    slide.querySelectorAll("figure").forEach(figure => {
      const image = figure.querySelector("img"), box = image.getBoundingClientRect();
      const ratio = image.naturalWidth / image.naturalHeight, shown = Math.min(box.width, box.height * ratio);
      const letters = PLOT * shown / figure.dataset.width;
      if (image.src.startsWith("data:image/png") && letters < LETTERS.plot)
        say(`letters of ${letters.toFixed(0)} px in a plot, shorten the text beside it: ${image.alt}`);
    });
  });
  return [...new Set(faults)];
}
