import type { Grounds, PassedOver } from "./decision.ts";

/** What each rule of placement decided, as `explain` tells it. */
const rules: Record<string, string> = {
  "free-seat-own-worker":
    "A paid point of this broadcast had a free seat on a worker that already serves this viewer.",
  "free-seat": "A paid point of this broadcast had a free seat here: it cost nothing.",
  "free-seat-to-free-a-point":
    "It was moved into a free seat of a paid point, so that its old point became free.",
  "point-beside-pipe": "A new point was opened where the broadcast already had its pipe.",
  "point-own-worker":
    "A new point was opened on a worker that already serves this viewer.",
  "point-in-room": "A new point was opened on a worker that already serves this room.",
  "point-most-room": "A new point was opened on the worker with most room to grow.",
  "point-best-fit":
    "A new point was opened on the fullest worker that can hold the whole screen.",
  "reserved-point": "A point that the room had reserved here was taken into use.",
  "reserved-point-beside-pipe":
    "A point that the room had reserved here was taken, beside the broadcast's pipe.",
  "producer-of-room": "The room's own producer worker had room for one more broadcast.",
  "producer-dedicated": "An unused producer worker became the room's own.",
  "producer-shared": "The fullest shared producer worker with room was taken.",
  "producer-shared-few-legs":
    "A shared producer worker was taken that has few outgoing legs left.",
};

/** Why workers were passed over, with how many of them. */
const reasons: Record<string, (count: number) => string> = {
  closed: (count) => `${workers(count)} took nothing new`,
  draining: (count) => `${workers(count)} were on hosts that are being drained`,
  failing: (count) =>
    `${workers(count)} were on hosts that failed twice and were not well for long enough`,
  suspect: (count) => `${workers(count)} were on hosts that are not heard or lose media`,
  "no-free-seat": (count) => `${workers(count)} had this broadcast but no free seat`,
  "no-free-point": (count) => `${workers(count)} had no free point`,
  "no-free-broadcast": (count) => `${workers(count)} had as many broadcasts as they hold`,
  "no-quota": (count) =>
    `${workers(count)} had no traffic left in their host's monthly quota`,
  "no-egress": (count) => `${workers(count)} had no egress left in their host's budget`,
  "no-ingress": (count) => `${workers(count)} had no ingress left in their host's budget`,
  "no-producer-egress": (count) =>
    `${workers(count)} could not be reached: the producing host has no egress left`,
  "no-pipe-legs": (count) =>
    `${workers(count)} would have needed a pipe without legs left`,
  "other-room": (count) => `${workers(count)} belonged to other rooms`,
};

function workers(count: number): string {
  return count === 1 ? "1 worker" : `${count} workers`;
}

/**
 * Tells why something is where it is.
 * @param grounds as stored with the claim; a rule of a later version is named as it is
 * @returns whole sentences, in the order in which the decision was made
 */
export function explainGrounds(grounds: Grounds): string[] {
  const sentences = [rules[grounds.rule] ?? `The rule was ${grounds.rule}.`];
  sentences.push(
    grounds.considered === 1
      ? "It was the only worker that could have served."
      : `It was one of ${grounds.considered} workers that could have served.`,
  );
  return [...sentences, ...explainPassedOver(grounds.passedOver)];
}

/** Names why workers were passed over, in short, for a refusal; nothing where none were. */
export function namePassedOver(passedOver: PassedOver = {}): string | undefined {
  const named = Object.entries(passedOver).map(([why, count]) => `${count} ${why}`);
  return named.length > 0 ? `Workers passed over: ${named.join(", ")}.` : undefined;
}

/** One sentence on the workers that could not serve; none where there were none. */
export function explainPassedOver(passedOver: Grounds["passedOver"]): string[] {
  const parts = Object.entries(passedOver)
    .filter(([, count]) => count > 0)
    .map(([why, count]) => reasons[why]?.(count) ?? `${workers(count)}: ${why}`);
  return parts.length > 0 ? [`Passed over: ${parts.join("; ")}.`] : [];
}
