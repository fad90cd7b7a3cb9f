import { createRequire } from "node:module";

/** How far a long run is. */
export interface Progress {
  start(steps: number): void;
  step(): void;
  stop(): void;
}

interface Bar {
  start(total: number, value: number): void;
  increment(): void;
  stop(): void;
}

// The package carries no types; these three methods are all that is used of it.
const { SingleBar } = createRequire(import.meta.url)("cli-progress") as {
  SingleBar: new (options: Record<string, unknown>) => Bar;
};

/** A bar on standard error, and nothing where no person is watching. */
export function newProgress(name: string, isQuiet: boolean): Progress {
  if (isQuiet || !process.stderr.isTTY) return silent;
  const format = `${name} [{bar}] {value}/{total} {eta_formatted} left`;
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true });
  return {
    start: (steps) => bar.start(steps, 0),
    step: () => bar.increment(),
    stop: () => bar.stop(),
  };
}

const silent: Progress = { start() {}, step() {}, stop() {} };
