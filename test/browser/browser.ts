import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const names = ["chromium", "google-chrome", "chromium-browser"];

/** The title of the page that is shown by whoever shares a screen in a browser that asks. */
const shownTitle = "What is shown";

/** Where a browser is, or undefined where the machine has none. */
export function findBrowser(): string | undefined {
  if (process.env.WEIR_CHROMIUM) return process.env.WEIR_CHROMIUM;
  const folders = (process.env.PATH ?? "").split(":");
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

/**
 * Starts a browser with a camera and a microphone that are not there.
 * @param asks whether it asks for what a context was not permitted (and nobody
 *   answers) and shares the tab titled `shownTitle`; by default all is permitted,
 *   and the screen that is shared is a made-up one
 */
export function startBrowser(executablePath: string, asks = false): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--use-fake-device-for-media-stream",
      asks
        ? `--auto-select-tab-capture-source-by-title=${shownTitle}`
        : "--use-fake-ui-for-media-stream",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/**
 * Opens a page that moves, for another page of the same person to show: whoever
 * shares a screen in a browser that asks shares this one.
 * @param beside the page that stays in front
 */
export async function openShown(beside: Page): Promise<Page> {
  const shown = await beside.context().newPage();
  const script =
    'let at = 0; setInterval(() => { document.body.style.background = ++at % 2 ? "white" : "wheat" }, 100)';
  await shown.setContent(
    `<title>${shownTitle}</title><h1>Slides</h1><script>${script}</script>`,
  );
  await beside.bringToFront();
  return shown;
}
