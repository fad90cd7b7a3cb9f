import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as api from "#schema/agent/control.ts";
import type { AppEnv } from "../auth/access.ts";
import { sourceOf } from "../auth/source.ts";
import { mailboxOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { challengeNode, credentialInStead, registerNode } from "../services/nodes.ts";
import { invalid } from "./invalid.ts";
import { body, json, refusals, route } from "./spec.ts";

/* The agents' whole API: they only call out, and nothing ever calls them. */
export const agent = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("nodeKey", {
      method: "post",
      path: "/v1/agent/challenge",
      summary: "Get a challenge to sign, with which a node may register once",
      request: { body: body(api.challengeRequest) },
      responses: { 200: json(api.challengeResponse, "The challenge.") },
    }),
    async (c) => c.json(await challengeNode(c.env, c.req.valid("json").name), 200),
  )
  .openapi(
    route("nodeKey", {
      method: "post",
      path: "/v1/agent/register",
      summary: "Take a node into the zone",
      request: { body: body(api.registerRequest) },
      responses: {
        200: json(api.registerResponse, "The node's new epoch and its credential."),
        ...refusals(
          "unauthenticated",
          "address-refused",
          "node-key-mismatch",
          "challenge-refused",
          "codec-mismatch",
        ),
      },
    }),
    async (c) => c.json(await registerNode(c.env, c.req.valid("json"), sourceOf(c)), 200),
  )
  .openapi(
    route("node", {
      method: "post",
      path: "/v1/agent/poll",
      summary: "Wait for instructions and calls",
      request: { body: body(api.pollRequest) },
      responses: {
        200: json(api.pollResponse, "What to do."),
        204: { description: "Nothing came, or a newer poll took over." },
        ...refusals("unauthenticated", "node-fenced"),
      },
    }),
    async (c) => {
      const { nodeId, epoch } = c.var.node;
      const { ackSeq } = c.req.valid("json");
      const answer = await mailboxOf(c.env, nodeId).poll(epoch, ackSeq);
      if (!answer.ok) throw Problem.from(answer.refusal);
      return answer.body
        ? c.json(answer.body as api.PollResponse, 200)
        : c.body(null, 204);
    },
  )
  .openapi(
    route("node", {
      method: "post",
      path: "/v1/agent/report",
      summary: "Answer calls, acknowledge instructions, tell what happened",
      request: { body: body(api.reportRequest) },
      responses: {
        200: json(z.object({}), "Taken."),
        ...refusals("unauthenticated", "node-fenced", "unavailable"),
      },
    }),
    async (c) => {
      const { nodeId, epoch } = c.var.node;
      const answer = await mailboxOf(c.env, nodeId).report(epoch, c.req.valid("json"));
      if (!answer.ok) throw Problem.from(answer.refusal);
      return c.json({}, 200);
    },
  )
  .openapi(
    route("node", {
      method: "post",
      path: "/v1/agent/heartbeat",
      summary: "Say that the node lives, and how loaded it is",
      request: { body: body(api.heartbeatRequest) },
      responses: {
        200: json(api.heartbeatResponse, "What the ledger has on the node."),
        ...refusals("unauthenticated", "node-fenced", "unavailable"),
      },
    }),
    async (c) => {
      const { nodeId, epoch } = c.var.node;
      const answer = await mailboxOf(c.env, nodeId).heartbeat(epoch, c.req.valid("json"));
      if (!answer.ok) throw Problem.from(answer.refusal);
      const credential = await credentialInStead(c.env, c.var.node);
      return c.json({ claims: answer.claims ?? 0, credential }, 200);
    },
  );
