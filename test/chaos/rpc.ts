import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/*
 * Calls between a program and the processes that it starts: each of them serves
 * an object of functions.
 */

// biome-ignore lint/suspicious/noExplicitAny: each served function has its own shape.
type Served<Methods> = { [Name in keyof Methods]: (...args: any[]) => unknown };

/** The served functions as the other side sees them. */
export type Remote<Methods extends Served<Methods>> = {
  [Name in keyof Methods]: (
    ...args: Parameters<Methods[Name]>
  ) => Promise<Awaited<ReturnType<Methods[Name]>>>;
};

interface Request {
  id: number;
  method: string;
  args: unknown[];
}

type Answer = { id: number } & ({ value: unknown } | { error: string });

/** Serves functions to the parent; ends with it. */
export function serve<Methods extends Served<Methods>>(methods: Methods): void {
  process.on("message", async ({ id, method, args }: Request) => {
    try {
      const value = await methods[method as keyof Methods](...args);
      process.send?.({ id, value } satisfies Answer);
    } catch (error) {
      process.send?.({ id, error: (error as Error).stack ?? String(error) });
    }
  });
  process.on("disconnect", () => process.exit());
  // A Ctrl-C on the terminal reaches every process: the parent says when it ends.
  process.on("SIGINT", () => undefined);
}

/** A process that serves functions. */
export interface ServingProcess<Methods extends Served<Methods>> {
  readonly pid: number;
  readonly remote: Remote<Methods>;
  /** Ends the process, politely where it obeys. */
  end(): Promise<void>;
}

/**
 * Starts a process that calls `serve`.
 * @param file the module to run
 * @param onLine gets each line that the process writes
 */
export function startServing<Methods extends Served<Methods>>(
  file: string,
  onLine: (line: string) => void,
): ServingProcess<Methods> {
  const child = fork(file, {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    serialization: "advanced",
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on("line", onLine);
  }
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  child.on("message", (answer: Answer) => {
    const promise = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("error" in answer) promise?.reject(new Error(answer.error));
    else promise?.resolve(answer.value);
  });
  child.once("exit", (code, signal) => {
    const error = new Error(`${file} ended with ${signal ?? code}`);
    for (const promise of waiting.values()) promise.reject(error);
    waiting.clear();
  });
  const call = (method: string, args: unknown[]) => {
    if (!child.connected) return Promise.reject(new Error(`${file} has ended`));
    lastId += 1;
    const id = lastId;
    const promise = Promise.withResolvers<unknown>();
    waiting.set(id, promise);
    child.send({ id, method, args } satisfies Request);
    return promise.promise;
  };
  const remote = new Proxy({} as Remote<Methods>, {
    get:
      (_, method: string) =>
      (...args: unknown[]) =>
        call(method, args),
  });
  return { pid: child.pid ?? 0, remote, end: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  if (child.connected) child.disconnect();
  const late = setTimeout(() => child.kill("SIGKILL"), 3000);
  await ended;
  clearTimeout(late);
}
