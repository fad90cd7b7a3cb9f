import type { CallAnswer } from "#schema/agent/calls.ts";

/** The codes with which an agent refuses a call. */
export type CallErrorCode = Extract<CallAnswer, { ok: false }>["code"];

/** A call refused on purpose; any other error is answered as `failed`. */
export class CallError extends Error {
  override name = "CallError";
  readonly code: CallErrorCode;

  /**
   * @param code `gone` for what is not (or no longer) here, `invalid` for what
   *   the caller may not do, `failed` for what went wrong, `deadline` for late
   * @param reason a sentence for logs and for whoever asked; no secrets
   */
  constructor(code: CallErrorCode, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** Shorthand for what is not (or no longer) on this node. */
export function gone(what: string): CallError {
  return new CallError("gone", `${what} is not on this node.`);
}

/**
 * Hands a client's parameters to mediasoup. What it refuses while the transport
 * lives is wrong in itself, and no failure of this node.
 * @throws CallError `invalid` with mediasoup's reason, or `gone`
 */
export async function takingParameters<Result>(
  transport: { readonly closed: boolean },
  take: () => Promise<Result>,
): Promise<Result> {
  try {
    return await take();
  } catch (error) {
    if (transport.closed) throw gone("The transport");
    throw new CallError("invalid", (error as Error).message);
  }
}
