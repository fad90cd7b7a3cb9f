import type { DecisionInput, DecisionName, DecisionOutput } from "../broker/decisions.ts";
import type { IdempotencyScope } from "../broker/requests.ts";
import type { Env } from "../env.ts";
import { brokerOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";

/**
 * Asks a zone's broker for a decision.
 * @throws Problem with the refusal's code
 */
export async function ask<Name extends DecisionName>(
  env: Env,
  zone: string,
  name: Name,
  input: DecisionInput<Name>,
  idempotency?: IdempotencyScope,
): Promise<DecisionOutput<Name>> {
  const answer = await brokerOf(env, zone).ask(name, input, idempotency);
  if (answer.ok) return answer.value;
  throw Problem.from(answer.refusal);
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
