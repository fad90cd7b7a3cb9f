import type { Curve } from "./memory.ts";

/*
 * Memory that a runtime has taken comes back late, so a curve has teeth. What is
 * judged is the line through its second half: a leak goes on rising there.
 */

/** A process may rise by this much an hour, or by this share of what it holds. */
const megabytesPerHourMax = 24;
const sharePerHourMax = 0.25;

export interface Verdict {
  name: string;
  /** Megabytes at the middle and at the end of the run, by the line. */
  middle: number;
  end: number;
  /** The line's rise. */
  megabytesPerHour: number;
  /** What it may rise by; undefined: whatever it likes. */
  megabytesPerHourMax: number | undefined;
  grows: boolean;
}

/**
 * Judges a process's memory from the middle of the run on.
 * @param judged whether its rise counts, or is only told
 */
export function verdictOf({ name, points }: Curve, judged: boolean): Verdict {
  const half = points.slice(Math.floor(points.length / 2));
  const mean = (values: number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
  const minute = mean(half.map((point) => point.minute));
  const level = mean(half.map((point) => point.megabytes));
  let rise = 0;
  let spread = 0;
  for (const point of half) {
    rise += (point.minute - minute) * (point.megabytes - level);
    spread += (point.minute - minute) ** 2;
  }
  const perMinute = spread > 0 ? rise / spread : 0;
  const at = (when = minute) => level + perMinute * (when - minute);
  const most = Math.max(megabytesPerHourMax, level * sharePerHourMax);
  return {
    name,
    middle: rounded(at(half[0]?.minute)),
    end: rounded(at(half.at(-1)?.minute)),
    megabytesPerHour: rounded(perMinute * 60),
    megabytesPerHourMax: judged ? rounded(most) : undefined,
    grows: judged && perMinute * 60 > most,
  };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
