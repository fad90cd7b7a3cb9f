import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as api from "#schema/api/fleet.ts";
import { idOf, zoneOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import { configOf } from "../env.ts";
import { ask } from "../services/ask.ts";
import { invalid } from "./invalid.ts";
import { idParam, json, refusals, route } from "./spec.ts";

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
