import type { CapName } from "#schema/caps.ts";
import type { DatabaseName } from "#schema/databases.ts";
import {
  type PartStates,
  type ProblemBody,
  type ProblemCode,
  problems,
} from "#schema/problems.ts";
import type { Refusal } from "./broker/decision.ts";

interface ProblemOptions {
  detail?: string;
  errors?: { path: string; message: string }[];
  /** The database that does not answer. */
  part?: DatabaseName;
  parts?: PartStates;
  /** The account's cap that is in the way, and what of it is used. */
  cap?: { name: CapName; max: number; used: number };
  /** Seconds after which trying again makes sense. */
  retryAfter?: number;
}

/** Thrown by services, turned into a problem+json answer by the app. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? problems[code][1]);
    this.code = code;
    this.options = options;
  }

  static from({ refusal, ...options }: Refusal): Problem {
    return new Problem(refusal, options);
  }
}

/** The RFC 9457 answer for a problem. */
export function problemResponse(
  code: ProblemCode,
  options: ProblemOptions = {},
): Response {
  const [status, title] = problems[code];
  const body: ProblemBody = {
    type: `/docs/problems#${code}`,
    title,
    status,
    code,
    ...options,
  };
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (options.retryAfter !== undefined)
    headers["retry-after"] = String(options.retryAfter);
  if (status === 401) headers["www-authenticate"] = "Bearer";
  return new Response(JSON.stringify(body), { status, headers });
}
