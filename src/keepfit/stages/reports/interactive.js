// Draws each chart of the page when it comes near to what is seen, and all of them before the page is printed.
"use strict";
// expressions are interpreted, as the page's policy forbids eval; only errors are told
const options = {
  renderer: "svg", actions: false, ast: true, logLevel: 1, defaultStyle: false,
  tooltip: { disableDefaultStyle: true },
};

function draw(frame) {
  if (frame.dataset.drawn) return;
  frame.dataset.drawn = "drawing";
  const chart = JSON.parse(frame.querySelector("script").textContent);
  const place = frame.appendChild(document.createElement("div"));
  vegaEmbed(place, chart, options).then(() => {
    const svg = place.querySelector("svg");
    svg.setAttribute("viewBox", `0 0 ${frame.dataset.width} ${frame.dataset.height}`);
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    frame.dataset.drawn = "yes";
  }, (error) => {
    frame.dataset.drawn = "failed";
    console.error(error);
  });
}

const frames = document.querySelectorAll(".live");
// a frame that its canvas hides is never seen: of two canvases only the one that fits is drawn
const seen = new IntersectionObserver((entries) => {
  for (const one of entries) if (one.isIntersecting) draw(one.target);
}, { rootMargin: "800px" });
for (const frame of frames) seen.observe(frame);
addEventListener("beforeprint", () => frames.forEach((frame) => frame.offsetParent && draw(frame)));
