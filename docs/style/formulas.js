// Draws the formulas of a page. One that KaTeX does not understand is an error of the page.
document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll(".tex")) {
    katex.render(place.textContent, place, {displayMode: place.tagName === "DIV", throwOnError: true});
  }
});
