import { readdirSync, readFileSync } from "node:fs";

/** The children of a process that run a program of this name, the eldest first. */
export function childrenOf(pid: number, program: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      const stat = read(`/proc/${child}/stat`);
      const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(parent) === pid && stat.includes(`(${program}`);
    })
    .sort((a, b) => a - b);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It ended while the list was read.
    return "";
  }
}
