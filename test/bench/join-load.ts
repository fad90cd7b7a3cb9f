/** What a path took, as a benchmark's row has it. */
export interface Measured {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** One request after the other, each timed by the function that it is given. */
export type Requester = (timed: <T>(request: Promise<T>) => Promise<T>) => Promise<void>;

/**
 * Lets requesters go round, each starting anew when it is through, for about
 * `measureMs` after a shorter unmeasured warm-up. The rate counts requests that
 * were answered within the time; the times are those of all that began in it.
 * @param requesters one round of each: a join and the leave after it
 */
export async function measure(
  requesters: readonly Requester[],
  measureMs: number,
): Promise<Measured> {
  const times: number[] = [];
  const fromMs = performance.now() + measureMs / 3;
  const untilMs = fromMs + measureMs;
  let answered = 0;
  let lastMs = fromMs;
  const timed = async <T>(request: Promise<T>): Promise<T> => {
    const startMs = performance.now();
    const answer = await request;
    const endMs = performance.now();
    if (endMs >= fromMs && endMs < untilMs) {
      answered += 1;
      lastMs = endMs;
    }
    if (startMs >= fromMs && startMs < untilMs) times.push(endMs - startMs);
    return answer;
  };
  await Promise.all(
    requesters.map(async (round) => {
      while (performance.now() < untilMs) await round(timed);
    }),
  );
  times.sort((a, b) => a - b);
  const at = (quantile: number) => times[Math.floor(quantile * times.length)] ?? 0;
  // The last answer ends the span: a slow path has no right to a share of one.
  const spanMs = answered > 1 ? lastMs - fromMs : measureMs;
  return { perSecond: (1000 * answered) / spanMs, p50Ms: at(0.5), p99Ms: at(0.99) };
}
