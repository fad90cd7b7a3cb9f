/** An alarm that is late by so much may never come. */
const lateMs = 2000;

/**
 * For when an object's one alarm has to be set, so that it rings at `dueMs` or
 * before. Runtimes lose alarms now and then: the local one does where an alarm is
 * set, while it rings, to the very moment for which it was set. So none is set to
 * the past or the present, and what is overdue is not relied on.
 * @param setMs what it is set to already, milliseconds since 1970, if it is
 * @returns milliseconds since 1970; undefined where it rings in time as it is
 */
export function alarmFor(
  setMs: number | null | undefined,
  dueMs: number,
  nowMs: number,
): number | undefined {
  const atMs = Math.max(dueMs, nowMs + 1);
  const rings = typeof setMs === "number" && setMs + lateMs > nowMs && setMs <= atMs;
  return rings ? undefined : atMs;
}

/** What an object's storage does for its alarm. */
interface AlarmStorage {
  getAlarm(): Promise<number | null>;
  setAlarm(atMs: number): Promise<void>;
}

/**
 * Sets an object's one alarm, unless it rings as early already.
 * @param dueMs milliseconds since 1970
 */
export async function wakeAt(storage: AlarmStorage, dueMs: number): Promise<void> {
  const atMs = alarmFor(await storage.getAlarm(), dueMs, Date.now());
  if (atMs !== undefined) await storage.setAlarm(atMs);
}
