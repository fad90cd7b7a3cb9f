import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { existsSync, renameSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";

export interface ChildOptions {
  /** Stands before each of its lines on the terminal. */
  name: string;
  args: string[];
  /** The child's whole environment. */
  env: Record<string, string | undefined>;
  cwd: string;
  /** Gets every line. */
  logFile: string;
  /** Says which lines the terminal gets, and how they read there. */
  show: (line: string) => string | undefined;
}

/** A child in a process group of its own, which can be stopped as a whole. */
export interface Child {
  readonly name: string;
  readonly pid: number | undefined;
  /** Settles when the child is gone, with how it ended. */
  readonly ended: Promise<string>;
  /** True until then. */
  readonly alive: boolean;
  /**
   * Asks the child to leave, and kills its whole group when it does not.
   * @param signal what it is asked with
   * @param graceMs how long it may take
   */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>;
}

/**
 * Starts Node on a script. Its group keeps a Ctrl-C on the terminal away from it,
 * so that the launcher alone decides what ends in which order.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const log = await openLog(options.logFile);
  const child = spawn(process.execPath, options.args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let alive = true;
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  }).then((how) => {
    alive = false;
    return how;
  });
  const written = Promise.all([
    forward(child.stdout, log, options),
    forward(child.stderr, log, options),
  ]);
  void written.finally(() => log.close());
  return {
    name: options.name,
    pid: child.pid,
    ended,
    get alive() {
      return alive;
    },
    async stop(signal, graceMs) {
      if (alive) signalGroup(child, signal, "leader");
      const timer = Promise.withResolvers<void>();
      const handle = setTimeout(timer.resolve, graceMs);
      await Promise.race([ended, timer.promise]);
      clearTimeout(handle);
      // Also after a polite end: children of the child may have stayed.
      signalGroup(child, "SIGKILL", "group");
      await ended;
    },
  };
}

/** The former run's log stays beside the new one. */
async function openLog(file: string): Promise<FileHandle> {
  if (existsSync(file)) renameSync(file, `${file}.old`);
  return open(file, "a", 0o600);
}

async function forward(
  stream: NodeJS.ReadableStream | null,
  log: FileHandle,
  { name, show }: ChildOptions,
): Promise<void> {
  if (!stream) return;
  for await (const line of createInterface({ input: stream })) {
    await log.appendFile(`${line}\n`);
    const shown = show(line);
    if (shown !== undefined) console.log(`[${name}] ${shown}`);
  }
}

function signalGroup(
  child: ChildProcess,
  signal: NodeJS.Signals,
  whom: "leader" | "group",
) {
  if (child.pid === undefined) return;
  try {
    process.kill(whom === "group" ? -child.pid : child.pid, signal);
  } catch {
    // Gone already.
  }
}
