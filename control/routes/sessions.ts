import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as media from "#schema/api/media.ts";
import * as api from "#schema/api/rooms.ts";
import { idOf, zoneOf } from "#schema/ids.ts";
import { mediaClass } from "#schema/settings.ts";
import type { AppEnv } from "../auth/access.ts";
import { signSession } from "../auth/tokens.ts";
import { configOf } from "../env.ts";
import { Problem } from "../problem.ts";
import { ask } from "../services/ask.ts";
import { startBroadcast } from "../services/broadcasts.ts";
import { iceServersFor } from "../services/ice-servers.ts";
import { watch } from "../services/watch.ts";
import { askingOf } from "./asking.ts";
import { idempotencyOf } from "./idempotency.ts";
import { invalid } from "./invalid.ts";
import { body, idParam, json, refusals, route } from "./spec.ts";

const params = idParam("session", idOf("session"));

/** A credential speaks for one session; another's is as good as none. */
function own(session: { sessionId: string }, sessionId: string): void {
  if (session.sessionId !== sessionId) throw new Problem("not-found");
}

export const sessions = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("session", {
      method: "delete",
      path: "/v1/sessions/{session}",
      summary: "Leave: everything the session held is given back",
      request: { params },
      responses: {
        200: json(z.object({ left: z.boolean() }), "Whether it was still there."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { session: sessionId } = c.req.valid("param");
      own(c.var.session, sessionId);
      const { roomId } = c.var.session;
      const input = { roomId, sessionId };
      return c.json(await ask(c.env, zoneOf(roomId) ?? "", "leaveRoom", input), 200);
    },
  )
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/sessions/{session}/credential",
      summary: "Renew the session's credential",
      request: { params },
      responses: {
        201: json(api.credential, "A credential good for as long again."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { session: sessionId } = c.req.valid("param");
      own(c.var.session, sessionId);
      const { roomId } = c.var.session;
      const zone = zoneOf(roomId) ?? "";
      await ask(c.env, zone, "locateViews", { roomId, sessionId, viewIds: [] });
      const config = configOf(c.env);
      const [credential, iceServers] = await Promise.all([
        signSession(config, c.var.session),
        iceServersFor(config, c.var.session.identity),
      ]);
      return c.json({ ...credential, iceServers }, 201);
    },
  )
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/sessions/{session}/broadcasts",
      summary: "Claim a producer place and get a sending transport",
      request: { params, body: body(media.createBroadcast) },
      responses: {
        201: json(
          media.createdBroadcast,
          "The broadcast; it is live with its first track.",
        ),
        ...refusals(
          "unauthenticated",
          "forbidden",
          "not-found",
          "room-closed",
          "already-broadcasting",
          "tier-broadcasts-exceeded",
          "no-producer-capacity",
          "no-screen-capacity",
          "egress-exhausted",
          "media-failed",
          "media-timeout",
        ),
      },
    }),
    async (c) => {
      const { session: sessionId } = c.req.valid("param");
      own(c.var.session, sessionId);
      const { media: wanted, dtlsParameters } = c.req.valid("json");
      const started = await startBroadcast(
        c.env,
        c.var.session,
        wanted,
        dtlsParameters,
        await idempotencyOf(c, sessionId, c.var.session.roomId),
      );
      return c.json(started, 201);
    },
  )
  .openapi(
    route("session", {
      method: "get",
      path: "/v1/sessions/{session}/may-broadcast",
      summary: "Ask whether a camera or screen could go live now, claiming nothing",
      request: { params, query: z.object({ media: mediaClass }) },
      responses: {
        200: json(z.object({}), "It could at this moment."),
        ...refusals(
          "unauthenticated",
          "forbidden",
          "not-found",
          "room-closed",
          "already-broadcasting",
          "tier-broadcasts-exceeded",
          "no-producer-capacity",
          "no-screen-capacity",
          "egress-exhausted",
        ),
      },
    }),
    async (c) => {
      const { session: sessionId } = c.req.valid("param");
      own(c.var.session, sessionId);
      const { roomId } = c.var.session;
      const input = { roomId, sessionId, ...c.req.valid("query") };
      return c.json(await ask(c.env, zoneOf(roomId) ?? "", "mayBroadcast", input), 200);
    },
  )
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/sessions/{session}/views",
      summary: "Watch broadcasts: claim seats, get transports and consumers",
      request: { params, body: body(media.createViews) },
      responses: {
        200: json(media.watched, "A status per view: what is refused holds nothing."),
        ...refusals("unauthenticated", "forbidden", "not-found", "room-closed", "busy"),
      },
    }),
    async (c) => {
      const { session: sessionId } = c.req.valid("param");
      own(c.var.session, sessionId);
      const { broadcasts, ...viewer } = c.req.valid("json");
      const asking = askingOf(c);
      const watched = await watch(c.env, c.var.session, broadcasts, viewer, asking);
      c.header("server-timing", asking.timing.header);
      return c.json(watched, 200);
    },
  );
