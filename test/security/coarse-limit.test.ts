import { expect, test } from "vitest";
import { CoarseLimit } from "#control/auth/coarse-limit.ts";

/** A limiter as the edge binds it, that lets so many calls of an address pass. */
function limiterOf(most: number) {
  const calls = new Map<string, number>();
  return {
    calls,
    async limit({ key }: { key: string }) {
      const count = (calls.get(key) ?? 0) + 1;
      calls.set(key, count);
      return { success: count <= most };
    },
  };
}

test("an address over the edge's limit is shut out for its period, and no other is", async () => {
  const coarse = new CoarseLimit(10_000);
  const limiter = limiterOf(2);
  for (let call = 0; call < 3; call++) {
    expect(coarse.waitMs("192.0.2.1", 1000)).toBe(0);
    await coarse.count(limiter, "192.0.2.1", 1000);
  }
  await coarse.count(limiter, "192.0.2.2", 1000);
  expect(coarse.waitMs("192.0.2.1", 4000)).toBe(7000);
  expect(coarse.waitMs("192.0.2.2", 4000)).toBe(0);
  expect(coarse.waitMs("192.0.2.1", 11_000)).toBe(0);
});

test("a limiter that fails shuts nobody out", async () => {
  const coarse = new CoarseLimit(10_000);
  const failing = { limit: () => Promise.reject(new Error("It is away.")) };
  await coarse.count(failing, "192.0.2.1", 1000);
  expect(coarse.waitMs("192.0.2.1", 1001)).toBe(0);
});

test("a flood from ever new addresses is let go of, oldest first", async () => {
  const coarse = new CoarseLimit(10_000);
  const limiter = limiterOf(0);
  for (let at = 0; at < 20_001; at++) await coarse.count(limiter, `a${at}`, at);
  // Those whose time is over went first; who is over the limit now is shut out.
  expect(coarse.waitMs("a20000", 20_001)).toBeGreaterThan(0);
  expect(coarse.waitMs("a0", 9999)).toBe(0);
});
