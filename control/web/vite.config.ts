import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));
const sdkProduct = fileURLToPath(new URL("../local/sdk-product.ts", import.meta.url));

// Files carry their content's hash, so that they may be cached for ever, and
// nothing is inlined, so that the page needs no exception in its policy.
export default defineConfig({
  root,
  base: "/",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [
    {
      name: "weir-sdk",
      apply: "build",
      // Beside the page: the SDK as a file of its own, its reference, its examples.
      closeBundle() {
        execFileSync(process.execPath, [sdkProduct], { stdio: "inherit" });
      },
    },
  ],
});
