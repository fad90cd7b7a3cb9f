import { readFileSync } from "node:fs";

/** A process whose memory is followed. */
export interface Watched {
  name: string;
  pid: number;
}

/** What one process held over time. */
export interface Curve {
  name: string;
  /** Minutes from the run's start, and resident megabytes then. */
  points: { minute: number; megabytes: number }[];
}

/** Follows how much memory processes hold, by what the kernel says. */
export class Memory {
  readonly curves = new Map<string, Curve>();
  readonly #startedMs = performance.now();

  /** Notes what each of them holds now; one that is gone is passed over. */
  sample(processes: readonly Watched[]): void {
    const minute = (performance.now() - this.#startedMs) / 60_000;
    for (const { name, pid } of processes) {
      const megabytes = residentMegabytes(pid);
      if (megabytes === undefined) continue;
      const curve = this.curves.get(name) ?? { name, points: [] };
      this.curves.set(name, curve);
      curve.points.push({ minute, megabytes });
    }
  }
}

function residentMegabytes(pid: number): number | undefined {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`));
  return found ? Number(found[1]) / 1024 : undefined;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It ended while the list was read.
    return "";
  }
}
