// The API documentation: Swagger UI for reading only, in the theme of the page.
"use strict";

const container = document.getElementById("swagger-ui");
const root = document.documentElement;
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function setTheme() {
  const isDark = root.classList.contains("theme-dark") || (!root.classList.contains("theme-light") && dark.matches);
  root.classList.toggle("dark-mode", isDark);
}

setTheme();
dark.addEventListener("change", setTheme);
SwaggerUIBundle({
  url: container.dataset.schemaUrl,
  domNode: container,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  supportedSubmitMethods: [],
  validatorUrl: null,
  onComplete: () => container.querySelector("main").setAttribute("role", "none"), // a page has one main landmark
});
