import { createRoute, type RouteConfig, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type ProblemCode, problemBody, problems } from "#schema/problems.ts";
import { type AccessRule, type AppEnv, access } from "../auth/access.ts";
import { limitAddress, limitHolder } from "../auth/limits.ts";
import { Problem } from "../problem.ts";

/** Bodies are bounded everywhere: SDP-sized objects are the largest. */
const maxBodyBytes = 128 * 1024;

const securityOf: Record<AccessRule, string | undefined> = {
  anyone: undefined,
  lobby: undefined,
  apiKey: "apiKey",
  encoder: "streamKey",
  joinToken: "joinToken",
  node: "nodeCredential",
  nodeKey: "nodeKey",
  operator: "operatorKey",
  // Its signature is checked with the body.
  payments: undefined,
  reader: "sessionCredential",
  session: "sessionCredential",
};

const limitBody = bodyLimit({
  maxSize: maxBodyBytes,
  onError: () => {
    throw new Problem("body-too-large", { detail: `At most ${maxBodyBytes} bytes.` });
  },
});

/**
 * Starts a route: who may call it, what it does, what can go wrong. Every route
 * names its access rule here. The address's limit is checked first, then the rule,
 * then the limit of whoever the credential names, and only then anything else.
 */
export function route<Config extends Omit<RouteConfig, "security" | "middleware">>(
  rule: AccessRule,
  config: Config,
) {
  const security = securityOf[rule];
  const middleware: MiddlewareHandler<AppEnv>[] = [
    limitAddress(rule),
    access[rule],
    limitHolder(rule),
    limitBody,
  ];
  return createRoute({
    ...config,
    responses: withCommon(config.responses, commonRefusals(rule, config)),
    "x-access": rule,
    ...(security ? { security: [{ [security]: [] }] } : {}),
    middleware,
  } as Config & { middleware: MiddlewareHandler<AppEnv>[] });
}

/** A JSON body, required. */
export function body<Schema extends z.ZodType>(schema: Schema) {
  return { content: { "application/json": { schema } }, required: true as const };
}

/** A JSON answer. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { content: { "application/json": { schema } }, description };
}

/** The problem answers of a route, by status; several codes may share one. */
export function refusals(...codes: ProblemCode[]) {
  const byStatus: Record<number, string[]> = {};
  for (const code of codes) {
    const [status, title] = problems[code];
    byStatus[status] = [...(byStatus[status] ?? []), `\`${code}\`: ${title}`];
  }
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, lines]) => [
      status,
      {
        description: lines.join("\n\n"),
        content: { "application/problem+json": { schema: problemBody } },
      },
    ]),
  );
}

/** What any route of its kind may be refused with, whatever it does. */
function commonRefusals(
  rule: AccessRule,
  { request = {} }: Pick<RouteConfig, "request">,
): ProblemCode[] {
  const { params, query, body } = request;
  return [
    "rate-limited",
    ...(securityOf[rule] ? (["unauthenticated"] as const) : []),
    ...(rule === "lobby" || rule === "payments" ? (["not-found"] as const) : []),
    ...(params || query || body ? (["validation-failed"] as const) : []),
    ...(body
      ? (["bad-request", "body-too-large", "unsupported-media-type"] as const)
      : []),
    ...(rule === "anyone" ? [] : (["unavailable", "busy"] as const)),
  ];
}

/** Adds refusals to a route's answers, beside what it says of the same status. */
function withCommon(
  responses: RouteConfig["responses"],
  codes: ProblemCode[],
): RouteConfig["responses"] {
  const merged = { ...responses };
  for (const [status, added] of Object.entries(refusals(...codes))) {
    const own = merged[status];
    const lines = own && "description" in own ? own.description : undefined;
    const told = new Set([
      ...(lines?.split("\n\n") ?? []),
      ...added.description.split("\n\n"),
    ]);
    merged[status] = { ...added, description: [...told].join("\n\n") };
  }
  return merged;
}

/** A path parameter that is an id. */
export function idParam<Name extends string>(name: Name, schema: z.ZodType<string>) {
  return z.object({ [name]: schema } as Record<Name, z.ZodType<string>>);
}
