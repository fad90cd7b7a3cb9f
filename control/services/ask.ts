import type { DecisionInput, DecisionName, DecisionOutput } from "../broker/decisions.ts";
import type { IdempotencyScope } from "../broker/requests.ts";
import type { Env } from "../env.ts";
import { brokerOf, isObjectGone } from "../objects/names.ts";
import { Problem } from "../problem.ts";

/**
 * Asks a zone's broker for a decision.
 * @throws Problem with the refusal's code, `unavailable` where the broker ended
 *   meanwhile: what was decided then is not known
 */
export async function ask<Name extends DecisionName>(
  env: Env,
  zone: string,
  name: Name,
  input: DecisionInput<Name>,
  idempotency?: IdempotencyScope,
): Promise<DecisionOutput<Name>> {
  const answer = await answered(brokerOf(env, zone).ask(name, input, idempotency));
  if (answer.ok) return answer.value;
  throw Problem.from(answer.refusal);
}

/**
 * Waits for what an object of control answers.
 * @throws Problem `unavailable` where the object ended meanwhile
 */
export async function answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    throw isObjectGone(error) ? beganAnew() : error;
  }
}

/** A part of control ended while it was asked. */
export function beganAnew(): Problem {
  const detail = "Control began anew while it was at it: try again.";
  return new Problem("unavailable", { detail, retryAfter: 1 });
}

/**
 * Reads rows that no decision is needed for.
 * @throws Problem `unavailable` where the database does not answer
 */
export async function readRows<Rows>(read: () => Promise<Rows>): Promise<Rows> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Problem) throw error;
    console.error(JSON.stringify({ alert: "read-failed", error: String(error) }));
    const detail = "The control database does not answer.";
    throw new Problem("unavailable", { detail, part: "control", retryAfter: 2 });
  }
}
