import type { Publication, Room, WeirError } from "../sdk/index.ts";
import { describePictures } from "./picture-status.ts";
import { problemText } from "./problem-text.ts";

/** What the status line says, and how grave it is. */
export interface Status {
  text: string;
  tone: "calm" | "wait" | "bad";
}

/**
 * Says in words how things stand.
 * @param problem what last failed at the person's own doing, if it still matters
 */
export function describe(
  room: Room,
  chatOnly: boolean,
  problem?: WeirError,
  notice?: string,
): Status {
  if (room.state === "reconnecting") return describeReconnecting(room, chatOnly);
  const own = [...room.publications];
  if (problem) {
    const refused = describeRefused(problem);
    // What fails by itself since then is told beside it, and not hidden by it.
    const trouble = describeTrouble(room, own);
    if (!trouble) return refused;
    const tone = refused.tone === "bad" ? "bad" : trouble.tone;
    return { text: `${refused.text} ${trouble.text}`, tone };
  }
  if (chatOnly) {
    const tier = room.info?.tier ?? 0;
    const text = `Connected. This room is for chat: tier ${tier} has no cameras.`;
    return { text, tone: "calm" };
  }
  const failed = own.find(({ state }) => state === "failed");
  if (failed) {
    const why = failed.error ? problemText(failed.error.code) : "";
    return { text: `Your broadcast ended. ${why}`.trim(), tone: "bad" };
  }
  if (own.some(({ state }) => state === "starting")) {
    return { text: "Going live…", tone: "wait" };
  }
  const trouble = describeTrouble(room, own);
  if (trouble) return trouble;
  const live = room.broadcasts.size;
  const you = own.some(({ state }) => state === "live") ? "You are live. " : "";
  const note = notice ? `${notice} ` : "";
  return { text: `${note}${you}${describeLive(live)}`, tone: "calm" };
}

function describeRefused({ code }: WeirError): Status {
  const text = problemText(code);
  if (code === "screen-not-chosen") return { text, tone: "calm" };
  return { text: `Refused: ${text}`, tone: "bad" };
}

/** What is the matter with what one sends, or with the pictures that one sees. */
function describeTrouble(room: Room, own: Publication[]): Status | undefined {
  const interrupted = own.find(({ state }) => state === "interrupted");
  if (interrupted) {
    const why = interrupted.error ? ` ${problemText(interrupted.error.code)}` : "";
    const text = `Your broadcast is interrupted and comes back by itself.${why}`;
    return { text, tone: "wait" };
  }
  const lost = describeLost(own);
  if (lost) return lost;
  const pictures = describePictures(room);
  return pictures ? { text: pictures, tone: "wait" } : undefined;
}

/** A device of one's own was unplugged: what others have of one now, and what helps. */
function describeLost(own: Publication[]): Status | undefined {
  if (own.some((one) => one.isLost("video"))) {
    const text = "Your camera was unplugged: others do not see you. Turn one on again.";
    return { text, tone: "bad" };
  }
  if (own.some((one) => one.isLost("audio"))) {
    const text =
      "Your microphone was unplugged: others do not hear you. Turn one on again.";
    return { text, tone: "bad" };
  }
  return undefined;
}

function describeReconnecting({ error }: Room, chatOnly: boolean): Status {
  const why = error ? `${problemText(error.code)} ` : "";
  const goesOn = chatOnly
    ? "What you write is sent then."
    : "Pictures go on where they can.";
  return { text: `${why}Reconnecting. ${goesOn}`, tone: "wait" };
}

function describeLive(live: number): string {
  if (live === 0) return "Connected. Nobody is live yet.";
  return live === 1 ? "1 broadcast is live." : `${live} broadcasts are live.`;
}
