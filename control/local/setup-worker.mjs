import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, homedir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import {
  errorLine,
  installPackages,
  missingPackages,
  run,
  SetupError,
  say,
  systemName,
} from "./setup-process.mjs";

const buildPackages = [
  "cmake",
  "g++",
  "make",
  "pkg-config",
  "libuv1-dev",
  "libssl-dev",
  "libsrtp2-dev",
  "libabsl-dev",
  "libflatbuffers-dev",
  "flatbuffers-compiler",
];
// One C++ compiler takes up to this much.
const compilerBytes = 0.75e9;
const tellEveryMs = 15_000;

/** Where what took long to make is kept between checkouts. */
export function cacheFolder() {
  const base = process.env.WEIR_CACHE || process.env.XDG_CACHE_HOME;
  return join(base || join(homedir(), ".cache"), "weir");
}

/**
 * Puts mediasoup-worker where mediasoup looks for it: from the cache, else
 * upstream's prebuilt one, else built here.
 * @param {string} root the repository's folder
 * @throws {SetupError}
 */
export async function provideWorker(root) {
  const mediasoup = join(root, "node_modules/mediasoup");
  const place = join(mediasoup, "worker/out/Release/mediasoup-worker");
  const keyFile = `${place}.key`;
  const { version } = JSON.parse(readFileSync(join(mediasoup, "package.json"), "utf8"));
  const recipe = join(root, "node-agent/mediasoup-worker");
  const key = `${version}-${process.arch}-${systemName()}-${hashFolder(recipe, ["README.md"])}`;
  // One without a key was put there by somebody's own means, and stays.
  const placedKey = existsSync(keyFile) ? readFileSync(keyFile, "utf8") : key;
  if (existsSync(place) && placedKey === key) return;

  const cached = join(cacheFolder(), `mediasoup-worker-${key}`);
  if (await works(cached)) {
    say("mediasoup-worker: taken from the cache");
  } else if (await download(mediasoup, place)) {
    install(place, cached);
    say("mediasoup-worker: upstream's prebuilt one works here");
  } else {
    await build(root, recipe, cached);
  }
  install(cached, place);
  writeFileSync(keyFile, key);
}

/** Without its environment a worker that can run at all exits with 41. */
async function works(file) {
  if (!existsSync(file)) return false;
  const { code } = await run("env", ["-i", file], { timeoutMs: 5000 });
  return code === 41;
}

/** Upstream's own download; told that there is no Python, it never builds. */
async function download(mediasoup, place) {
  if (process.env.WEIR_BUILD_WORKER === "1") return false;
  say("mediasoup-worker: looking for upstream's prebuilt one");
  // What an older version left here must not pass for a download.
  rmSync(place, { force: true });
  const env = { PYTHON: "false", MEDIASOUP_WORKER_BIN: "" };
  const options = { cwd: mediasoup, env, timeoutMs: 30_000 };
  await run(process.execPath, ["npm-scripts.mjs", "postinstall"], options);
  return works(place);
}

async function build(root, recipe, cached) {
  const missing = await missingPackages(buildPackages);
  if (missing.length > 0) {
    say(`mediasoup-worker: installing ${missing.join(" ")}`);
    await installPackages(missing);
  }
  mkdirSync(cacheFolder(), { recursive: true });
  // A build that was broken off has left its folder; the lock says that it is over.
  for (const name of readdirSync(cacheFolder())) {
    if (!name.startsWith("build-")) continue;
    rmSync(join(cacheFolder(), name), { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(cacheFolder(), "build-"));
  const log = join(cacheFolder(), "mediasoup-worker-build.log");
  rmSync(log, { force: true });
  const jobs = Math.min(availableParallelism(), Math.floor(totalmem() / compilerBytes));
  const progress = progressTeller("mediasoup-worker: building it here, 2-5 minutes");
  try {
    const source = join(root, "node_modules/mediasoup/worker");
    const steps = [
      ["-S", recipe, "-B", folder, `-DWORKER=${source}`],
      ["--build", folder, "--parallel", String(Math.max(1, jobs))],
    ];
    for (const args of steps) {
      const options = { logFile: log, onLine: progress };
      const { code, tail } = await run("cmake", args, options);
      if (code !== 0) {
        throw new SetupError(
          `mediasoup-worker does not build (${errorLine(tail)}). The whole story is in ${log}`,
        );
      }
    }
    const built = join(folder, "mediasoup-worker");
    await run("strip", [built]);
    if (!(await works(built))) {
      throw new SetupError(
        `The mediasoup-worker that was built does not run: see ${log}`,
      );
    }
    install(built, cached);
    say("mediasoup-worker: built");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Tells the percentage that cmake prints: live on a terminal, else now and then. */
function progressTeller(what) {
  say(what);
  let toldAt = Date.now();
  return (line) => {
    const percent = /^\[\s*(\d+)%\]/.exec(line)?.[1];
    if (!percent) return;
    if (process.stdout.isTTY) {
      process.stdout.write(percent === "100" ? "\r\x1b[K" : `\r\x1b[K  ${percent} %`);
    } else if (Date.now() - toldAt > tellEveryMs) {
      toldAt = Date.now();
      say(`mediasoup-worker: ${percent} %`);
    }
  };
}

/** Copies under another name first, so that nobody ever sees half a file. */
function install(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  const half = `${to}.${process.pid}`;
  copyFileSync(from, half);
  chmodSync(half, 0o755);
  renameSync(half, to);
}

/**
 * A short hash of a folder's files, names included.
 * @param {string} folder
 * @param {string[]} [leaveOut] names of folders that do not count
 */
export function hashFolder(folder, leaveOut = []) {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => !name.split("/").some((part) => leaveOut.includes(part)))
    .sort();
  for (const name of files) {
    const path = join(folder, name);
    if (!statSync(path).isFile()) continue;
    hash.update(`${name}\0`).update(readFileSync(path));
  }
  return hash.digest("hex").slice(0, 12);
}
