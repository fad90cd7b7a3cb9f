import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./root.ts";

/**
 * Bundles control once for a whole run, as its deployment would: doing so for each
 * zone that a test starts would cost a second of both processors every time.
 * @returns what removes the bundle
 */
export default async function buildControl(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "weir-bundle-"));
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const config = join(root, "wrangler.toml");
  const args = [wrangler, "deploy", "--dry-run", "--config", config, "--outdir", folder];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  await promisify(execFile)(process.execPath, args, { cwd: root, env });
  // The processes that run the tests inherit it.
  process.env.WEIR_TEST_BUNDLE = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
