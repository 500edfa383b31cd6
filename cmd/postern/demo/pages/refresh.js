// Fetches the list anew while somebody looks at it, and puts it in place if it
// changed. Without this script the page reloads by itself.
"use strict";

const every = 2000; // milliseconds

async function refresh() {
  const here = document.querySelector("[data-live]");
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-live]");
  if (!fresh || fresh.innerHTML === here.innerHTML) return;
  const focused = here.contains(document.activeElement) && document.activeElement.id;
  here.replaceWith(document.adoptNode(fresh));
  document.title = page.title;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function keep() {
  try {
    if (!document.hidden) await refresh();
  } catch {
    // the demo was stopped: the next round finds it again
  }
  setTimeout(keep, every);
}

setTimeout(keep, every);
