import { OpenAPIHono, z } from "@hono/zod-openapi";
import { idOf, zoneOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import { networkOf } from "../auth/addresses.ts";
import { mayOpen } from "../auth/origins.ts";
import { sourceOf } from "../auth/source.ts";
import { configOf } from "../env.ts";
import { channelNameOf, channelOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { invalid } from "./invalid.ts";
import { refusals, route } from "./spec.ts";

const params = z.object({
  room: idOf("room"),
  channel: z.string().regex(/^(room_[a-z0-9]{1,16}_[a-z0-9]{1,64}|global-[0-9]{1,4})$/),
});

/*
 * Anyone may open a socket: its first message, within 5 s, has to hold the
 * credential of a session of this room. No token stands in the URL.
 */
export const channels = new OpenAPIHono<AppEnv>({ defaultHook: invalid }).openapi(
  route("anyone", {
    method: "get",
    path: "/v1/rooms/{room}/channels/{channel}",
    summary: "The room's WebSocket",
    request: { params },
    responses: {
      101: { description: "The socket is open: say hello." },
      ...refusals("bad-request", "forbidden", "not-found"),
    },
  }),
  async (c) => {
    const { room, channel } = c.req.valid("param");
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      throw new Problem("bad-request", {
        detail: "This is a WebSocket: send an Upgrade.",
      });
    }
    const url = new URL(c.req.url);
    if (!(await mayOpen(c))) {
      throw new Problem("forbidden", { detail: "This origin may not open the channel." });
    }
    // A name is anybody's text, and must not bring an object to life.
    const { zone, settings } = configOf(c.env);
    const names = [room, channelNameOf(room, 0, settings.chat.globalChannels)];
    if (zoneOf(room) !== zone || !names.includes(channel)) {
      throw new Problem("not-found");
    }
    url.searchParams.set("room", room);
    url.searchParams.set("address", networkOf(sourceOf(c) ?? "unknown"));
    const { webSocket } = await channelOf(c.env, channel).fetch(
      new Request(url, c.req.raw),
    );
    if (!webSocket) {
      throw new Problem("rate-limited", {
        detail: "Sockets from this address have not said hello yet: wait for them.",
        retryAfter: Math.ceil(settings.chat.helloMs / 1000),
      });
    }
    // A response that came from an object takes no more headers; this one does.
    return new Response(null, { status: 101, webSocket });
  },
);
