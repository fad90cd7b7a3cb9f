import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "#test/harness/root.ts";
import { tempFolder } from "./database-fixture.ts";

/** A checkout that holds nothing but the setup itself. */
function bareCheckout(): string {
  const folder = tempFolder();
  const local = join(folder, "control/local");
  mkdirSync(local, { recursive: true });
  for (const name of readdirSync(join(root, "control/local"))) {
    if (name.endsWith(".mjs"))
      copyFileSync(join(root, "control/local", name), join(local, name));
  }
  return folder;
}

function runSetup(folder: string, env: Record<string, string> = {}) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(folder, "control/local/setup.mjs")],
    { encoding: "utf8", env: { ...process.env, WEIR_CACHE: folder, ...env } },
  );
  return { status, stderr };
}

test("a setup that fails says so in one line, without a stack trace", () => {
  const { status, stderr } = runSetup(bareCheckout());
  expect(status).toBe(1);
  expect(stderr).toMatch(/^setup failed: .*package-lock\.json.*\n$/);
});

test("a machine without npm is told to install it", () => {
  const folder = bareCheckout();
  const lock = {
    lockfileVersion: 3,
    packages: { "node_modules/x": { version: "1.0.0" } },
  };
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
  const { status, stderr } = runSetup(folder, { PATH: folder });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^setup failed: npm is missing: install .*\n$/);
});
