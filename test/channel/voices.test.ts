import { expect, test } from "vitest";
import { Voices } from "#control/objects/voices.ts";

const active = (workerId: string, broadcastId: string, level = -30) =>
  ({ kind: "speaker-active", roomId: "room_t_1", workerId, broadcastId, level }) as const;
const silent = (workerId: string) =>
  ({ kind: "speaker-silent", roomId: "room_t_1", workerId }) as const;

test("within one worker whoever it names speaks, and stays so after a silence", () => {
  const voices = new Voices();
  expect(voices.hear(active("a", "ana"))).toBe(true);
  expect(voices.hear(active("a", "ana"))).toBe(false);
  expect(voices.hear(active("a", "ben", -50))).toBe(true);
  expect(voices.hear(silent("a"))).toBe(false);
  expect(voices.speaking).toBe("ben");
});

test("of two workers' speakers the louder one is marked", () => {
  const voices = new Voices();
  voices.hear(active("a", "ana", -40));
  expect(voices.hear(active("b", "cleo", -50))).toBe(false);
  expect(voices.hear(active("b", "dan", -20))).toBe(true);
  expect(voices.speaking).toBe("dan");
});

test("when the louder one ends, the other who still speaks is marked again", () => {
  const voices = new Voices();
  voices.hear(active("a", "ana", -40));
  voices.hear(active("b", "cleo", -20));
  expect(voices.hear(silent("b"))).toBe(true);
  expect(voices.speaking).toBe("ana");
});

test("after a silence on one worker the other's next speaker is marked, however low", () => {
  const voices = new Voices();
  voices.hear(active("a", "ana", -10));
  voices.hear(silent("a"));
  expect(voices.hear(active("b", "cleo", -54))).toBe(true);
  expect(voices.speaking).toBe("cleo");
});
