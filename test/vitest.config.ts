import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL("..", import.meta.url));

export default defineConfig({
  root,
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/harness/build-control.ts"],
    reporters: ["default", "./test/harness/count-reporter.ts"],
    // Real workers, databases and browsers start slowly on a busy machine; every
    // test waits for conditions, so these bounds only end what hangs.
    testTimeout: 60_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
    expect: { poll: { timeout: 20_000 } },
    pool: "forks",
    maxWorkers: 2,
    // Files share what they import, which takes a tenth of a run else; no test
    // leaves anything behind in its process.
    isolate: false,
  },
});
