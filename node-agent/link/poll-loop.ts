import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { type Call, call as callSchema } from "#schema/agent/calls.ts";
import { outboxItem } from "#schema/agent/instructions.ts";
import type { CallDesk } from "../calls/desk.ts";
import type { Inbox, InboxItem } from "../instructions/inbox.ts";
import type { Reporter } from "./reporter.ts";

// Items are read one by one: one that a newer control sends and this agent does
// not know must not cost it all the others.
const envelope = z.object({
  instructions: z.array(z.unknown()),
  calls: z.array(z.unknown()),
});
const callIdOnly = z.object({ callId: z.string() });
const seqOnly = z.object({ seq: z.number().int() });
// A poll that brought nothing new may be answered again at once.
const idlePauseMs = 50;

interface PollParts {
  poll: (ackSeq: number) => Promise<unknown>;
  inbox: Inbox;
  desk: CallDesk;
  reporter: Reporter;
  log: Logger;
  signal: AbortSignal;
}

/**
 * Polls until aborted: applies the instructions that come and hands the calls
 * to the desk without waiting for them.
 * @throws FencedError where control ended the registration
 */
export async function pollLoop(parts: PollParts): Promise<void> {
  const { poll, inbox, signal } = parts;
  while (!signal.aborted) {
    const body = await poll(inbox.ackSeq);
    if (body === undefined) continue;
    if (!takeIn(parts, body)) await delay(idlePauseMs);
  }
}

/** @returns whether anything in the body was new */
function takeIn(parts: PollParts, body: unknown): boolean {
  const { inbox, desk, reporter, log } = parts;
  const read = envelope.safeParse(body);
  if (!read.success) {
    log.error({ reason: read.error.message }, "poll brought an unreadable body");
    return false;
  }
  const items = read.data.instructions.flatMap((item): InboxItem[] => {
    const parsed = outboxItem.safeParse(item);
    if (parsed.success) return [parsed.data];
    const place = seqOnly.safeParse(item).data;
    log.error({ seq: place?.seq }, "unreadable instruction: control is newer than this");
    return place ? [place] : [];
  });
  const calls = read.data.calls.flatMap((item): Call[] => {
    const parsed = callSchema.safeParse(item);
    if (parsed.success) return [parsed.data];
    const callId = callIdOnly.safeParse(item).data?.callId;
    const reason = parsed.error.issues[0]?.message ?? "The call cannot be read.";
    if (callId) reporter.answer({ callId, ok: false, code: "invalid", reason });
    return [];
  });
  const freshItems = inbox.take(items);
  const freshCalls = calls.filter((call) => desk.take(call));
  return freshItems + freshCalls.length > 0;
}
