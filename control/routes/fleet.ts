import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as api from "#schema/api/fleet.ts";
import { idOf, zoneOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import { configOf } from "../env.ts";
import { ask } from "../services/ask.ts";
import { explain, nodeEventsAfter, planOf } from "../services/fleet.ts";
import { reconcile } from "../services/reconcile.ts";
import { invalid } from "./invalid.ts";
import { idParam, json, refusals, route } from "./spec.ts";

/** Rooms by tier, as `5:2,1:200`; or one tier and how many rooms of it. */
const planQuery = z.object({
  mix: z
    .string()
    .max(200)
    .regex(/^\d+:\d+(,\d+:\d+)*$/, "is tier:rooms, as 5:2,1:200")
    .optional(),
  tier: z.coerce.number().int().min(0).max(63).optional(),
  rooms: z.coerce.number().int().min(1).max(100_000).default(1),
  screensPerRoom: z.coerce.number().int().min(0).max(16).default(0),
  coresPerHost: z.coerce.number().int().min(1).max(1024).default(16),
  hostEgressMbps: z.coerce.number().positive().max(1_000_000).default(10_000),
});

const nodeParams = idParam("node", idOf("node"));

export const fleet = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("operator", {
      method: "get",
      path: "/v1/nodes",
      summary: "The zone's nodes, workers and pipes",
      responses: { 200: json(api.fleet, "The fleet."), ...refusals("unauthenticated") },
    }),
    async (c) => c.json(await ask(c.env, configOf(c.env).zone, "readFleet", {}), 200),
  )
  .openapi(
    route("operator", {
      method: "post",
      path: "/v1/nodes/{node}/cordon",
      summary: "Give a node nothing new; what is there stays",
      request: { params: nodeParams },
      responses: {
        200: json(z.object({ nodeId: z.string() }), "Done."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { node: nodeId } = c.req.valid("param");
      const input = { nodeId, cordoned: true };
      return c.json(await ask(c.env, zoneOf(nodeId) ?? "", "cordonNode", input), 200);
    },
  )
  .openapi(
    route("operator", {
      method: "post",
      path: "/v1/nodes/{node}/uncordon",
      summary: "Give a node new work again",
      request: { params: nodeParams },
      responses: {
        200: json(z.object({ nodeId: z.string() }), "Done."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { node: nodeId } = c.req.valid("param");
      const input = { nodeId, cordoned: false };
      return c.json(await ask(c.env, zoneOf(nodeId) ?? "", "cordonNode", input), 200);
    },
  )
  .openapi(
    route("operator", {
      method: "delete",
      path: "/v1/nodes/{node}/key",
      summary: "Let go of a node's key: the next host that registers brings its own",
      request: { params: nodeParams },
      responses: {
        200: json(z.object({ nodeId: z.string() }), "Done."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { node: nodeId } = c.req.valid("param");
      const input = { nodeId };
      return c.json(await ask(c.env, zoneOf(nodeId) ?? "", "forgetNodeKey", input), 200);
    },
  )
  .openapi(
    route("operator", {
      method: "post",
      path: "/v1/nodes/{node}/drain",
      summary: "Empty a node: what is there moves elsewhere; uncordon ends it",
      description:
        "Views and broadcasts move while they run, as far as there is room elsewhere. " +
        "What is left when the time is over loses its place, and gets another if there is one.",
      request: {
        params: nodeParams,
        query: z.object({
          /** Milliseconds until what is left is moved without ceremony. */
          withinMs: z.coerce.number().int().min(1000).max(3_600_000).optional(),
        }),
      },
      responses: {
        200: json(
          z.object({ nodeId: z.string(), until: z.iso.datetime() }),
          "Begun; `GET /v1/nodes` shows what is left.",
        ),
        ...refusals("unauthenticated", "not-found", "validation-failed"),
      },
    }),
    async (c) => {
      const { node: nodeId } = c.req.valid("param");
      const { withinMs } = c.req.valid("query");
      const input = { nodeId, withinMs };
      const begun = await ask(c.env, zoneOf(nodeId) ?? "", "drainNode", input);
      return c.json({ nodeId, until: new Date(begun.untilMs).toISOString() }, 200);
    },
  )
  .openapi(
    route("operator", {
      method: "post",
      path: "/v1/reconcile",
      summary: "Recompute all totals, and hold what the hosts have against the ledger",
      description:
        "Runs each minute by itself. What differs is acted on when it still does after " +
        "a grace, so by a second run.",
      responses: {
        200: json(api.reconciliation, "What was found and mended."),
        ...refusals("unauthenticated", "unavailable"),
      },
    }),
    async (c) => c.json(await reconcile(c.env), 200),
  )
  .openapi(
    route("operator", {
      method: "get",
      path: "/v1/nodes/{node}/events",
      summary: "What a node's operator should know: budgets and quotas running out",
      request: {
        params: nodeParams,
        query: z.object({ after: z.coerce.number().int().nonnegative().default(0) }),
      },
      responses: {
        200: json(api.nodeEvents, "Up to 500."),
        ...refusals("unauthenticated"),
      },
    }),
    async (c) => {
      const { node: nodeId } = c.req.valid("param");
      return c.json(
        await nodeEventsAfter(c.env, nodeId, c.req.valid("query").after),
        200,
      );
    },
  )
  .openapi(
    route("anyone", {
      method: "get",
      path: "/v1/zones",
      summary: "The zones of this deployment",
      responses: {
        200: json(
          z.object({ zones: z.array(z.object({ name: z.string() })) }),
          "The zones' names.",
        ),
      },
    }),
    (c) => c.json({ zones: [{ name: configOf(c.env).zone }] }, 200),
  )
  .openapi(
    route("anyone", {
      method: "get",
      path: "/v1/plan",
      summary: "The fleet that a mix of full rooms needs",
      request: { query: planQuery },
      responses: {
        200: json(api.fleetPlan, "The fleet."),
        ...refusals("validation-failed"),
      },
    }),
    (c) => c.json(planOf(c.env, c.req.valid("query")), 200),
  )
  .openapi(
    route("apiKey", {
      method: "get",
      path: "/v1/views/{view}/explain",
      summary: "Why a view is where it is",
      request: { params: idParam("view", idOf("view")) },
      responses: {
        200: json(api.explanation, "The rule that fired, and what was passed over."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { view } = c.req.valid("param");
      return c.json(await explain(c.env, c.var.accountId, view), 200);
    },
  )
  .openapi(
    route("apiKey", {
      method: "get",
      path: "/v1/rooms/{room}/placement",
      summary: "Where everything of a room is, and what it wastes",
      request: { params: idParam("room", idOf("room")) },
      responses: {
        200: json(api.roomPlacement, "Workers, slots, pipes and points."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { room: roomId } = c.req.valid("param");
      const { accountId } = c.var;
      const input = { roomId, accountId };
      return c.json(await ask(c.env, zoneOf(roomId) ?? "", "readPlacement", input), 200);
    },
  );
