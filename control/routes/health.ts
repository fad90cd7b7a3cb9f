import { OpenAPIHono, z } from "@hono/zod-openapi";
import { partStates } from "#schema/problems.ts";
import manifest from "../../package.json" with { type: "json" };
import type { AppEnv } from "../auth/access.ts";
import { Problem } from "../problem.ts";
import { checkParts } from "../services/readiness.ts";
import { json, refusals, route } from "./spec.ts";

const ok = z.object({ status: z.literal("ok") });

const readiness = z
  .object({ status: z.enum(["ok", "degraded"]), parts: partStates })
  .meta({ id: "Readiness" });

/** Without premium only spending waits: the others are what rooms take. */
const neededParts = ["control", "sessions", "accounts"] as const;

const versionInfo = z.object({ name: z.string(), version: z.string() });

export const health = new OpenAPIHono<AppEnv>()
  .openapi(
    route("anyone", {
      method: "get",
      path: "/version",
      summary: "Which version of Weir this is",
      responses: { 200: json(versionInfo, "The name and the version.") },
    }),
    (c) => c.json({ name: manifest.name, version: manifest.version }, 200),
  )
  .openapi(
    route("anyone", {
      method: "get",
      path: "/livez",
      summary: "Whether control runs; looks at no database",
      responses: { 200: json(ok, "It runs.") },
    }),
    (c) => c.json({ status: "ok" as const }, 200),
  )
  .openapi(
    route("anyone", {
      method: "get",
      path: "/readyz",
      summary: "Whether control can serve, and which of its databases answer",
      responses: {
        200: json(readiness, "It can; without a part that is down, what needs it waits."),
        ...refusals("unavailable"),
      },
    }),
    async (c) => {
      const parts = await checkParts(c.env);
      const down = neededParts.filter((part) => parts[part] === "down");
      const [part] = down;
      if (part) {
        const detail =
          down.length === 1
            ? `The ${part} database does not answer.`
            : `The ${down.join(" and ")} databases do not answer.`;
        throw new Problem("unavailable", { detail, part, parts, retryAfter: 2 });
      }
      const degraded = Object.values(parts).includes("down");
      return c.json({ status: degraded ? "degraded" : "ok", parts } as const, 200);
    },
  );
