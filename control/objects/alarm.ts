/**
 * Sets an object's one alarm, unless it rings as early already.
 * @param dueMs milliseconds since 1970
 */
export async function wakeAt(
  storage: DurableObjectStorage,
  dueMs: number,
): Promise<void> {
  const alarmMs = await storage.getAlarm();
  if (alarmMs === null || alarmMs > dueMs) await storage.setAlarm(dueMs);
}
