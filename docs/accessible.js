// What the theme leaves out: a table that scrolls can be reached by keyboard, and neither the buttons of a code block nor
// the headings below a heading of the table of contents are landmarks of the page.
const NO_LANDMARKS = "nav.md-code__nav:not([role]), .md-nav--secondary nav.md-nav:not([role])";
const mend = () => {
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
    else table.removeAttribute("tabindex");
  }
  for (const part of document.querySelectorAll(NO_LANDMARKS)) {
    part.setAttribute("role", "none");
    part.removeAttribute("aria-label");
  }
};
new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
addEventListener("resize", mend);
mend();
