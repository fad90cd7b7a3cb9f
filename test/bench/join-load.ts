/** What a path took, as a benchmark's row has it. */
export interface Measured {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** One request after the other, each timed by the function that it is given. */
export type Requester = (timed: <T>(request: Promise<T>) => Promise<T>) => Promise<void>;

/** A slow path is measured for longer, but for no longer than this. */
const longestMs = 5000;

/**
 * Lets requesters go round, each starting anew when it is through, after a
 * shorter unmeasured warm-up. The rate counts the requests that were answered
 * within the time; the times are those of all that began in it.
 * @param requesters one round of each: a join and the leave after it
 * @param measureMs milliseconds, or longer until each had three answers
 */
export async function measure(
  requesters: readonly Requester[],
  measureMs: number,
): Promise<Measured> {
  const times: number[] = [];
  const fromMs = performance.now() + measureMs / 3;
  const fewest = 3 * requesters.length;
  let answered = 0;
  let lastMs = fromMs;
  const isOver = (nowMs: number) =>
    nowMs >= fromMs + longestMs || (nowMs >= fromMs + measureMs && answered >= fewest);
  const timed = async <T>(request: Promise<T>): Promise<T> => {
    const startMs = performance.now();
    const counts = startMs >= fromMs && !isOver(startMs);
    const answer = await request;
    const endMs = performance.now();
    if (counts) times.push(endMs - startMs);
    if (endMs >= fromMs && !isOver(endMs)) {
      answered += 1;
      lastMs = endMs;
    }
    return answer;
  };
  await Promise.all(
    requesters.map(async (round) => {
      while (!isOver(performance.now())) await round(timed);
    }),
  );
  times.sort((a, b) => a - b);
  const at = (quantile: number) => times[Math.floor(quantile * times.length)] ?? 0;
  const perSecond = (1000 * answered) / (lastMs - fromMs);
  return { perSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}
