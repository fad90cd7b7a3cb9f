import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const names = ["chromium", "google-chrome", "chromium-browser"];

/** Where a browser is, or undefined where the machine has none. */
export function findBrowser(): string | undefined {
  if (process.env.WEIR_CHROMIUM) return process.env.WEIR_CHROMIUM;
  const folders = (process.env.PATH ?? "").split(":");
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** Starts a browser with a camera and a microphone that are not there. */
export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
