import { OpenAPIHono, z } from "@hono/zod-openapi";
import manifest from "../../package.json" with { type: "json" };
import type { AppEnv } from "../auth/access.ts";
import { configOf } from "../env.ts";
import { brokerOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { json, refusals, route } from "./spec.ts";

const ok = z.object({ status: z.literal("ok") });

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
      summary: "Whether control can serve: its configuration and its database",
      responses: { 200: json(ok, "It can."), ...refusals("unavailable") },
    }),
    async (c) => {
      const { zone } = configOf(c.env);
      if (!(await brokerOf(c.env, zone).ready())) {
        throw new Problem("unavailable", {
          detail: "The control database does not answer.",
          retryAfter: 2,
        });
      }
      return c.json({ status: "ok" as const }, 200);
    },
  );
