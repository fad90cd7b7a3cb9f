import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as api from "#schema/api/media.ts";
import { idOf, zoneOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import { ask } from "../services/ask.ts";
import { reportLost } from "../services/lost.ts";
import { viewStats } from "../services/stats.ts";
import { updateView } from "../services/views.ts";
import { syncView } from "../services/watch.ts";
import { askingOf } from "./asking.ts";
import { invalid } from "./invalid.ts";
import { readerOf } from "./reader.ts";
import { body, idParam, json, refusals, route } from "./spec.ts";

const params = idParam("view", idOf("view"));

export const views = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/views/{view}/tracks",
      summary: "Get consumers for the tracks that the broadcast has gained",
      request: { params, body: body(api.syncView) },
      responses: {
        200: json(api.watched, "The view with all its consumers."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { view } = c.req.valid("param");
      const viewer = {
        ...c.req.valid("json"),
        kinds: ["audio", "video"] as ("audio" | "video")[],
      };
      const asking = askingOf(c);
      const watched = await syncView(c.env, c.var.session, view, viewer, asking);
      c.header("server-timing", asking.timing.header);
      return c.json(watched, 200);
    },
  )
  .openapi(
    route("session", {
      method: "patch",
      path: "/v1/views/{view}",
      summary: "Pause or resume a view, or change what it prefers",
      request: { params, body: body(api.patchView) },
      responses: {
        200: json(z.object({}), "Done."),
        ...refusals("unauthenticated", "not-found", "media-failed", "media-timeout"),
      },
    }),
    async (c) => {
      const { view } = c.req.valid("param");
      await updateView(c.env, c.var.session, view, c.req.valid("json"));
      return c.json({}, 200);
    },
  )
  .openapi(
    route("session", {
      method: "delete",
      path: "/v1/views/{view}",
      summary: "Stop watching: the seat is given back",
      request: { params },
      responses: {
        200: json(
          z.object({ released: z.number().int() }),
          "Whether it was still there: 1 or 0.",
        ),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { view } = c.req.valid("param");
      const { roomId, sessionId } = c.var.session;
      const input = { roomId, sessionId, viewIds: [view] };
      return c.json(await ask(c.env, zoneOf(roomId) ?? "", "releaseViews", input), 200);
    },
  )
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/views/{view}/lost",
      summary: "Tell that a view's media comes no longer: it gets another seat",
      description:
        "The new seat is told on the session's channel (`view.moved`), or that nothing " +
        "has room for it now (`view.lost`). A host that several report is suspect.",
      request: { params },
      responses: {
        200: json(
          z.object({ moved: z.boolean() }),
          "False where it is too young to judge, or its broadcast brings nothing.",
        ),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { view: viewId } = c.req.valid("param");
      return c.json(await reportLost(c.env, c.var.session, viewId), 200);
    },
  )
  .openapi(
    route("reader", {
      method: "get",
      path: "/v1/views/{view}/stats",
      summary: "mediasoup's numbers for a view",
      request: { params },
      responses: {
        200: json(api.mediaStats, "The numbers."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { view } = c.req.valid("param");
      return c.json(await viewStats(c.env, readerOf(c), view), 200);
    },
  );
