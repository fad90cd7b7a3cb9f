import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  errorLine,
  installPackages,
  isRoot,
  lockSetup,
  run,
  SetupError,
  say,
} from "./setup-process.mjs";
import { cacheFolder, hashFolder, provideWorker } from "./setup-worker.mjs";

/*
 * Brings a fresh checkout to the point where Weir runs. It uses nothing but
 * Node >= 20, since nothing is installed when it starts, and what is done
 * already is skipped in milliseconds.
 */

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const node = join(root, "node_modules/.bin/node");
const nodeMajor = 24;
const browsers = ["chromium", "google-chrome", "chromium-browser"];
/** What only tests need, by the programs that any one of is enough. */
const testTools = [
  {
    what: "browser",
    programs: browsers,
    packageName: "chromium",
    tests: "browser tests",
  },
  {
    what: "second browser",
    programs: ["firefox-esr", "firefox"],
    packageName: "firefox-esr",
    tests: "tests of playback in Firefox",
  },
  {
    what: "TURN server",
    programs: ["turnserver"],
    packageName: "coturn",
    tests: "tests of networks that need one",
  },
];

try {
  const unlock = await lockSetup(hashOf(cacheFolder()));
  await installDependencies();
  requireNode();
  await provideWorker(root);
  await buildPages();
  if (process.argv.includes("--browser")) await provideForTests();
  unlock();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`setup failed: ${message}`);
  process.exitCode = 1;
}

async function installDependencies() {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  const marker = join(root, "node_modules/.weir-setup");
  const hash = hashOf(lock);
  if (existsSync(marker) && readFileSync(marker, "utf8") === hash) return;
  if (!isInstalled(JSON.parse(lock))) {
    await npmInstall();
    say("dependencies: installed");
  }
  writeFileSync(marker, hash);
}

/**
 * `npm ci`, or where a registry has not every optional package that the lock's
 * tree allows (those for other platforms), `npm install`, which is content with
 * what there is and checks the same versions and hashes.
 */
async function npmInstall() {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  // With this set, mediasoup's own install script leaves the worker to us.
  const options = { cwd: root, env: { MEDIASOUP_WORKER_BIN: "later" } };
  say("dependencies: npm ci");
  let outOfSync = false;
  const onLine = (line) => {
    outOfSync ||= / from lock file/.test(line);
  };
  let result = await run("npm", ["ci", ...quiet], { ...options, onLine });
  if (result.code !== 0 && outOfSync) {
    say("dependencies: npm ci refuses the lock here, so npm install --no-save");
    result = await run("npm", ["install", "--no-save", ...quiet], options);
  }
  if (result.code === 127) {
    throw new SetupError("npm is missing: install Node together with its npm");
  }
  if (result.code !== 0) {
    const reason = errorLine(result.tail);
    throw new SetupError(`npm ci failed (${reason}). Run it by hand to see why`);
  }
}

/** Whether node_modules holds what the lock names, whoever installed it. */
function isInstalled(lock) {
  const hidden = join(root, "node_modules/.package-lock.json");
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, "utf8")).packages;
  return Object.entries(lock.packages).every(([path, wanted]) => {
    const found = installed[path];
    // Packages for other platforms are in the lock but not on the disk.
    if (!found) return path === "" || wanted.optional || wanted.devOptional;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** The lock brings Node 24 along for Linux; elsewhere the machine's own must do. */
function requireNode() {
  const own = existsSync(node);
  const { stdout } = own ? spawnSync(node, ["--version"], { encoding: "utf8" }) : {};
  const version = own ? stdout?.trim() || "none that runs here" : process.version;
  const major = Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
  if (major >= nodeMajor) return;
  throw new SetupError(
    `Weir needs Node ${nodeMajor} and found ${version}: install Node ${nodeMajor} and run this again` +
      (own ? `, after removing ${node}` : ""),
  );
}

async function buildPages() {
  const web = join(root, "control/web");
  const marker = join(root, "node_modules/.weir-pages");
  const hash = hashOf(
    hashFolder(web, ["dist", "node_modules"]) +
      hashFolder(join(root, "schema"), ["migrations"]) +
      hashFolder(join(root, "control/local"), []) +
      readFileSync(join(root, "package-lock.json"), "utf8"),
  );
  const built = existsSync(join(web, "dist")) && existsSync(marker);
  if (built && readFileSync(marker, "utf8") === hash) return;
  say("pages: vite build");
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const args = [vite, "build", "--config", "control/web/vite.config.ts"];
  const program = existsSync(node) ? node : process.execPath;
  const { code, tail } = await run(program, args, { cwd: root });
  if (code !== 0) {
    throw new SetupError(
      `the pages do not build (${errorLine(tail)}). Run npm run build:web to see why`,
    );
  }
  writeFileSync(marker, hash);
}

/** Installs what tests need where that is allowed, else says what lacks. */
async function provideForTests() {
  const wanted = process.env.WEIR_CHROMIUM;
  if (wanted && !existsSync(wanted)) {
    throw new SetupError(`WEIR_CHROMIUM names ${wanted}, which does not exist`);
  }
  const missing = testTools.filter(({ programs }) => {
    return !(wanted && programs === browsers) && !programs.some(isOnPath);
  });
  if (missing.length === 0) return;
  const allowed = process.env.CI === "true" || process.env.WEIR_INSTALL_BROWSER === "1";
  if (allowed && isRoot()) {
    const packages = missing.map(({ packageName }) => packageName);
    say(`for tests: installing Debian's ${packages.join(", ")}`);
    await installPackages(packages);
    return;
  }
  for (const { what, packageName, tests } of missing) {
    const remedy = `sudo apt-get install -y --no-install-recommends ${packageName}`;
    say(`${what}: none found, so ${tests} are skipped. To have them: ${remedy}`);
  }
}

function isOnPath(name) {
  const folders = (process.env.PATH ?? "").split(":");
  return folders.some((folder) => existsSync(join(folder, name)));
}

function hashOf(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
