import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as api from "#schema/api/media.ts";
import { idOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import { callTransport } from "../services/calls.ts";
import { invalid } from "./invalid.ts";
import { body, idParam, json, refusals, route } from "./spec.ts";

const params = idParam("transport", idOf("transport"));
const problems = refusals(
  "unauthenticated",
  "not-found",
  "validation-failed",
  "media-failed",
  "media-timeout",
);

/*
 * A transport's id names its node, and the agent knows which session owns it:
 * these calls need no database.
 */
export const transports = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/transports/{transport}/connect",
      summary: "Connect a transport with the client's certificate",
      request: { params, body: body(api.connectTransport) },
      responses: { 200: json(z.object({}), "Done."), ...problems },
    }),
    async (c) => {
      const { transport: transportId } = c.req.valid("param");
      const { dtlsParameters } = c.req.valid("json");
      const { roomId, sessionId } = c.var.session;
      await callTransport(c.env, transportId, {
        op: "connect-transport",
        roomId,
        sessionId,
        transportId,
        dtlsParameters,
      });
      return c.json({}, 200);
    },
  )
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/transports/{transport}/restart-ice",
      summary: "Restart ICE after the network changed",
      request: { params },
      responses: { 200: json(api.restartedIce, "New ICE parameters."), ...problems },
    }),
    async (c) => {
      const { transport: transportId } = c.req.valid("param");
      const { roomId, sessionId } = c.var.session;
      const request = { op: "restart-ice", roomId, sessionId, transportId } as const;
      return c.json(await callTransport(c.env, transportId, request), 200);
    },
  )
  .openapi(
    route("session", {
      method: "patch",
      path: "/v1/transports/{transport}/views",
      summary: "Change how many views of one transport are served, all at once",
      request: { params, body: body(api.patchViews) },
      responses: { 200: json(z.object({}), "Done."), ...problems },
    }),
    async (c) => {
      const { transport: transportId } = c.req.valid("param");
      const views = c.req
        .valid("json")
        .views.map(({ id: viewId, ...wishes }) => ({ viewId, ...wishes }));
      const { roomId, sessionId } = c.var.session;
      const request = { op: "update-views", roomId, sessionId, views } as const;
      await callTransport(c.env, transportId, request);
      return c.json({}, 200);
    },
  )
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/transports/{transport}/resume",
      summary: "Start the consumers that were made paused, all at once",
      request: { params, body: body(api.resumeViews) },
      responses: { 200: json(z.object({}), "Done."), ...problems },
    }),
    async (c) => {
      const { transport: transportId } = c.req.valid("param");
      const { views: viewIds } = c.req.valid("json");
      const { roomId, sessionId } = c.var.session;
      const request = { op: "resume-views", roomId, sessionId, viewIds } as const;
      await callTransport(c.env, transportId, request);
      return c.json({}, 200);
    },
  );
