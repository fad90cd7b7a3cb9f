import type { ProblemBody, ProblemCode } from "#schema/problems.ts";

/** Codes of the SDK's own, beside those that the server answers with. */
export type LocalCode =
  | "network"
  | "unsupported"
  | "no-device"
  | "device-refused"
  | "device-busy"
  | "device-lost"
  | "screen-not-chosen"
  | "session-lost"
  | "superseded"
  | "kicked"
  | "too-slow"
  | "left";

/** Why something failed: a code of the API (`/docs/problems`) or of the SDK's own. */
export type WeirErrorCode = ProblemCode | LocalCode;

/** Whatever can go wrong in a room, with a stable code to switch on. */
export class WeirError extends Error {
  readonly code: WeirErrorCode;
  /** The HTTP status, 0 where no answer came. */
  readonly status: number;
  /** Milliseconds after which trying again makes sense, where the server said so. */
  readonly retryAfterMs: number | undefined;

  /**
   * @param code a problem code of the API or one of the SDK's own
   * @param message what happened, in a sentence
   * @param more the HTTP status and the delay in milliseconds that was asked for
   */
  constructor(
    code: WeirErrorCode,
    message: string,
    more: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = "WeirError";
    this.code = code;
    this.status = more.status ?? 0;
    this.retryAfterMs = more.retryAfterMs;
  }
}

// What may go away by itself: capacity comes back, hosts return, networks mend.
const passing: ReadonlySet<WeirErrorCode> = new Set<WeirErrorCode>([
  "network",
  "rate-limited",
  "busy",
  "unavailable",
  "internal",
  "media-failed",
  "media-timeout",
  "no-consumer-capacity",
  "no-producer-capacity",
  "no-screen-capacity",
  "no-pipe-capacity",
  "egress-exhausted",
  "quota-exhausted",
  "account-cap-exceeded",
]);

const noRoom: ReadonlySet<WeirErrorCode> = new Set<WeirErrorCode>([
  "no-consumer-capacity",
  "no-screen-capacity",
  "no-pipe-capacity",
  "egress-exhausted",
  "quota-exhausted",
  "account-cap-exceeded",
]);

/** Whether nothing has room to show it from, until others leave or servers come. */
export function isNoRoom(code: WeirErrorCode): boolean {
  return noRoom.has(code);
}

/**
 * Whether what was there before may be refused for a while on return: the old one
 * may count until the server has noticed its end, and a lost session is followed
 * by another.
 */
export function passesOnReturn(code: WeirErrorCode): boolean {
  return ["already-broadcasting", "unauthenticated", "not-found"].includes(code);
}

/** Whether asking again later may give another answer. */
export function isPassing(code: WeirErrorCode): boolean {
  return passing.has(code);
}

/**
 * Reads an error answer of the API.
 * @param response an answer whose status is no success
 * @returns the problem as a WeirError; where the body is no problem document
 *   (a proxy answered), the code follows from the status
 */
export async function readProblem(response: Response): Promise<WeirError> {
  const { status } = response;
  const body = await response.json().catch(() => undefined);
  const problem = body as Partial<ProblemBody> | undefined;
  const header = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfter =
    problem?.retryAfter ?? (Number.isFinite(header) ? header : undefined);
  const more = retryAfter === undefined ? {} : { retryAfterMs: retryAfter * 1000 };
  if (problem?.code) {
    const message = problem.detail ?? problem.title ?? problem.code;
    return new WeirError(problem.code, message, { status, ...more });
  }
  const code =
    status === 429 ? "rate-limited" : status >= 500 ? "unavailable" : "bad-request";
  return new WeirError(code, `The server answered ${status}.`, { status, ...more });
}

/** Turns anything thrown into a WeirError. */
export function asWeirError(error: unknown): WeirError {
  if (error instanceof WeirError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error ? error.name : "";
  if (name === "UnsupportedError") return new WeirError("unsupported", message);
  return new WeirError("network", message, { cause: error });
}
