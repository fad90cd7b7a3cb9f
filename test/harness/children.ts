import { readdirSync, readFileSync } from "node:fs";

/** The children of a process that run a program of this name, the eldest first. */
export function childrenOf(pid: number, program: string): number[] {
  return (
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => ({ child: Number(name), stat: read(`/proc/${name}/stat`) }))
      .filter(({ stat }) => stat.includes(`(${program}`))
      .map(({ child, stat }) => {
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return { child, parent: Number(fields[1]), startedAt: Number(fields[19]) };
      })
      .filter(({ parent }) => parent === pid)
      // Not by their numbers: those start over on a machine that is long at work.
      .sort((a, b) => a.startedAt - b.startedAt)
      .map(({ child }) => child)
  );
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It ended while the list was read.
    return "";
  }
}

/** Sends a signal to a process; one that has ended meanwhile is fine. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
