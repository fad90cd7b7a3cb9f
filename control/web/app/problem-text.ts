import type { WeirErrorCode } from "../sdk/index.ts";

/** What a person reads for each code: what is the matter, and what helps. */
const sentences: Record<WeirErrorCode, string> = {
  "bad-request": "The server could not read the request.",
  "validation-failed": "The server did not accept what was entered.",
  unauthenticated: "The invitation or key is not valid, or it has run out.",
  revoked: "This invitation was taken back. Ask for a new one.",
  "account-suspended": "The service of this application is suspended.",
  "account-cap-exceeded":
    "This service has as much going on as it may have at once. It works again when others leave.",
  "entitlement-missing": "This service has not bought rooms of this size.",
  "too-many-keys": "There are as many keys as there may be.",
  "last-key": "The last key has to stay.",
  forbidden: "You are not allowed to do this here.",
  "not-found": "There is no such room, or it is over.",
  "method-not-allowed": "The server does not know this request.",
  "body-too-large": "The request was larger than the server accepts.",
  "unsupported-media-type": "The server does not know this kind of request.",
  "precondition-failed": "Something has changed in the meantime.",
  "precondition-required": "The server could not tell what the request is about.",
  "rate-limited": "Too many requests came from here. Wait a moment.",
  "idempotency-mismatch": "The same request was made before with other content.",
  "room-closed": "The room is closed.",
  "room-full": "The room is full: it has as many people as its tier allows.",
  "already-broadcasting": "You are live already.",
  "tier-broadcasts-exceeded":
    "As many people are live in this room as its tier allows. Someone has to stop first.",
  "no-consumer-capacity": "The servers have no free place to show this from.",
  "no-producer-capacity": "The servers have no free place for another broadcast.",
  "no-screen-capacity": "The servers have no free place for a screen.",
  "no-pipe-capacity": "This broadcast goes to as many servers as it can.",
  "egress-exhausted": "The servers have used their bandwidth up.",
  "quota-exhausted": "The servers have used this month's traffic up.",
  "reservation-refused": "The servers cannot keep this many places free now.",
  busy: "The servers are busy.",
  unavailable: "A part of the service does not answer.",
  "challenge-refused": "A media host could not show who it is.",
  "node-key-mismatch": "A media host goes by the name of another.",
  "address-refused": "A media host names an address that is not its own.",
  "node-fenced": "A media host is starting over.",
  "codec-mismatch": "A media host does not fit the others.",
  "media-failed": "The media host could not do it.",
  "media-timeout": "The media host did not answer in time.",
  internal: "The server made a mistake.",
  network: "The server cannot be reached.",
  unsupported: "This browser cannot take part: it lacks WebRTC or a codec.",
  "no-device": "No camera or microphone was found.",
  "device-refused":
    "The browser may not use your camera or microphone. Allow it beside the address, then try again.",
  "device-busy":
    "Your camera or microphone is in use by another application. Close that, then try again.",
  "device-lost": "A camera or microphone was unplugged.",
  "screen-not-chosen": "No screen was chosen, so none is shown.",
  "session-lost": "The connection was gone for too long.",
  superseded: "Your place in this room was taken up from elsewhere.",
  "too-slow": "This device fell behind the room's messages.",
  kicked: "A moderator sent you out of the room.",
  banned: "A moderator banned you from this room.",
  left: "You left the room.",
};

/** What helps one whose time in a room ended, and whether entering again does. */
export function nextStep(code: WeirErrorCode): { text: string; mayEnter: boolean } {
  switch (code) {
    case "kicked":
      return { text: "You may come back: enter again under your name.", mayEnter: true };
    case "banned":
      return {
        text: "Nobody gets in under your name until a moderator lifts the ban. You can open a room of your own.",
        mayEnter: false,
      };
    case "room-closed":
    case "not-found":
      return { text: "Its places and its chat are gone.", mayEnter: false };
    case "superseded":
      return { text: "Enter again to go on here.", mayEnter: true };
    case "unauthenticated":
    case "revoked":
      return { text: "Ask for a new invitation.", mayEnter: true };
    default:
      return { text: "Enter again; what was said meanwhile is kept.", mayEnter: true };
  }
}

/** The sentence for a code. */
export function problemText(code: WeirErrorCode): string {
  return sentences[code] ?? "Something went wrong.";
}
