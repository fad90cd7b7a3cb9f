import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { readSdk } from "./sdk-model.ts";
import { referencePage, referenceStyle } from "./sdk-page.ts";
import { typesFile } from "./sdk-types.ts";

/*
 * Makes what a deployment offers of the SDK beside its own page: one module file,
 * its types, its reference, and the examples.
 */

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const web = join(root, "control/web");
const dist = join(web, "dist");

await build({
  configFile: false,
  root: web,
  logLevel: "warn",
  publicDir: false,
  build: {
    outDir: join(dist, "sdk"),
    target: "es2022",
    lib: { entry: join(web, "sdk/index.ts"), formats: ["es"], fileName: () => "weir.js" },
  },
});

const sdk = readSdk(root);
writeFileSync(join(dist, "sdk/weir.d.ts"), typesFile(sdk));
mkdirSync(join(dist, "docs/sdk"), { recursive: true });
writeFileSync(join(dist, "docs/sdk/index.html"), referencePage(sdk));
writeFileSync(join(dist, "docs/sdk/reference.css"), referenceStyle);
cpSync(join(web, "examples"), join(dist, "examples"), { recursive: true });
