import type { Curve } from "./memory.ts";

/*
 * What control itself holds: its heap after a full collection, as V8 tells it. The
 * process around it says little, as the local runtime keeps some 20 kB of each
 * request, of a worker that does nothing as well.
 */

/** How the runtime has to be started to tell. */
export const heapFlags = "--trace-gc --expose-gc";

/** V8 writes in blocks: so many collections bring the last lines out. */
export const collectionsToFlush = 40;

const collection = /(\d+) ms: Mark-Compact.*-> ([\d.]+) \(.*testing/;

/**
 * The curve of a heap, from the collections that were asked for.
 * @param minutes those after this many only brought out the lines before
 */
export function heapCurve(
  name: string,
  lines: readonly string[],
  minutes: number,
): Curve {
  const found = lines.flatMap((line) => {
    const [match, atMs, megabytes] = collection.exec(line) ?? [];
    return match ? [{ atMs: Number(atMs), megabytes: Number(megabytes) }] : [];
  });
  const startMs = found[0]?.atMs ?? 0;
  const points = found.map(({ atMs, megabytes }) => {
    return { minute: (atMs - startMs) / 60_000, megabytes };
  });
  return { name, points: points.filter(({ minute }) => minute <= minutes) };
}
