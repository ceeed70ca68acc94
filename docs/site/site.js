// For the keyboard and screen readers, what Material leaves out.
document.querySelector(".md-search").ariaLabel = "Search";
for (const each of document.querySelectorAll("th:empty"))
  each.replaceWith(document.createElement("td"));
new MutationObserver(() => {
  for (const each of document.querySelectorAll(".md-code__nav")) each.role = "none";
  for (const each of document.querySelectorAll("pre > code, .md-typeset__scrollwrap"))
    if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
}).observe(document.body, { childList: true, subtree: true });
