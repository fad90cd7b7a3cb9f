import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";

/** A failure that is the machine's, told in one line with its remedy. */
export class SetupError extends Error {}

const startedAt = Date.now();

/**
 * Tells what happens, on a line of its own.
 * @param {string} text
 */
export function say(text) {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`setup ${seconds.padStart(6)} s  ${text}`);
}

/**
 * Runs a command to its end. Its output goes to a file only.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, logFile?: string,
 *   timeoutMs?: number, onLine?: (line: string) => void }} [options]
 * @returns {Promise<{ code: number, tail: string }>} exit code (127 where the
 *   command is missing, 124 at the timeout) and the last lines of the output
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let tail = "";
    let timedOut = false;
    const take = (chunk) => {
      const text = String(chunk);
      if (options.logFile) appendFileSync(options.logFile, text);
      tail = (tail + text).slice(-2000);
      for (const line of text.split("\n")) options.onLine?.(line);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const timer = setTimeout(
      () => {
        timedOut = true;
        child.kill("SIGKILL");
      },
      options.timeoutMs ?? 2 ** 31 - 1,
    );
    const finish = (code) => {
      clearTimeout(timer);
      resolve({ code: timedOut ? 124 : code, tail });
    };
    child.on("error", () => finish(127));
    child.on("close", (code) => finish(code ?? 1));
  });
}

/**
 * The line of an output that most likely says what went wrong.
 * @param {string} tail
 */
export function errorLine(tail) {
  const lines = tail
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line && !/^at |A complete log of this run/.test(line));
  const telling = lines.filter((line) => /\berror\b|fatal|^E:/i.test(line));
  return telling.at(-1) ?? lines.at(-1) ?? "no output";
}

/** True where this process may install packages by itself. */
export function isRoot() {
  return process.getuid?.() === 0;
}

/**
 * The Debian packages of a list that this machine lacks; all of it where the
 * machine has no dpkg.
 * @param {string[]} packages
 */
export async function missingPackages(packages) {
  const format = "-f=$" + "{Package} $" + "{db:Status-Status}\n";
  const { tail } = await run("dpkg-query", ["-W", format, ...packages]);
  const installed = new Set(
    tail
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return packages.filter((name) => !installed.has(name));
}

/**
 * Installs Debian packages, as root only.
 * @param {string[]} packages
 * @throws {SetupError} where that is not possible, with the command to run
 */
export async function installPackages(packages) {
  const remedy = `sudo apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (!isRoot()) throw new SetupError(`Debian packages are missing. Run: ${remedy}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", ...packages],
  ]) {
    const { code, tail } = await run("apt-get", args, { env });
    if (code !== 0) {
      throw new SetupError(
        `apt-get ${args[0]} failed (${errorLine(tail)}). Run by hand: ${remedy}`,
      );
    }
  }
}

/** The machine's system, as a file name may hold it: `debian-12`. */
export function systemName() {
  if (!existsSync("/etc/os-release")) return process.platform;
  const text = readFileSync("/etc/os-release", "utf8");
  const field = (name) => new RegExp(`^${name}="?([^"\n]*)`, "m").exec(text)?.[1] ?? "";
  return `${field("ID")}-${field("VERSION_ID")}`.replace(/[^\w.-]/g, "_");
}

/**
 * Waits until no other setup of this user's cache runs, and keeps others out.
 * The lock is a socket without a file, so the kernel frees it with the process.
 * @param {string} name
 * @returns {Promise<() => void>} what gives the lock back
 */
export async function lockSetup(name) {
  if (process.platform !== "linux") return () => {};
  for (let tries = 0; ; tries++) {
    const server = createServer();
    const locked = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(`\0weir-setup-${name}`, () => resolve(true));
    });
    if (locked) {
      server.unref();
      return () => server.close();
    }
    if (tries === 0) say("another setup is at work: waiting for it");
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
