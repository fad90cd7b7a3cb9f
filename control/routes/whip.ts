import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as api from "#schema/api/ingest.ts";
import { idOf } from "#schema/ids.ts";
import { mediaClass } from "#schema/settings.ts";
import type { AppEnv } from "../auth/access.ts";
import type { Joining } from "../auth/join-tokens.ts";
import { configOf } from "../env.ts";
import { Problem } from "../problem.ts";
import { iceServersFor } from "../services/ice-servers.ts";
import {
  type Carried,
  endCarried,
  ingest,
  locateCarried,
  makeStreamKey,
  patchIce,
} from "../services/ingest.ts";
import { invalid } from "./invalid.ts";
import {
  created,
  crossOrigin,
  deleteResponses,
  fragmentType,
  getResponses,
  offerRefusals,
  patched,
  patchResponses,
  readIfMatch,
  readText,
  sdpType,
  text,
  textBody,
} from "./sdp.ts";
import { idParam, json, refusals, route } from "./spec.ts";

const params = idParam("room", idOf("room"));
const resource = z.object({ room: idOf("room"), session: idOf("session") });
const query = z.object({
  media: mediaClass
    .default("camera")
    .meta({ description: "What it counts as: a camera, or a screen and its seats." }),
});

/** A token speaks for one room; another is as good as none. */
function own({ roomId }: Joining, room: string): void {
  if (roomId !== room) throw new Problem("not-found");
}

function carriedBy(
  { identity }: Joining,
  { room: roomId, session: sessionId }: z.infer<typeof resource>,
): Carried {
  return { roomId, sessionId, identity, carrier: "whip" };
}

const app = new OpenAPIHono<AppEnv>({ defaultHook: invalid });
app.use("/v1/rooms/:room/whip/*", ...crossOrigin);

/** WHIP, RFC 9725: encoders such as OBS publish into a room. */
export const whip = app
  .openapi(
    route("encoder", {
      method: "post",
      path: "/v1/rooms/{room}/whip",
      summary: "Publish by WHIP: an SDP offer, with a stream key or a join token",
      request: { params, query, body: textBody(sdpType) },
      responses: {
        201: text(sdpType, "The answer. Location is the stream's own resource."),
        ...refusals(...offerRefusals, "tier-broadcasts-exceeded", "no-producer-capacity"),
      },
    }),
    async (c) => {
      const { room } = c.req.valid("param");
      own(c.var.joining, room);
      const offer = await readText(c, sdpType);
      const { media } = c.req.valid("query");
      const stream = await ingest(c.env, c.var.joining, media, offer);
      const location = `/v1/rooms/${room}/whip/${stream.sessionId}`;
      return created(
        location,
        stream,
        await iceServersFor(configOf(c.env), c.var.joining.identity),
      );
    },
  )
  .openapi(
    route("anyone", {
      method: "get",
      path: "/v1/rooms/{room}/whip",
      summary: "Whether WHIP is spoken here; nothing can be read",
      request: { params },
      responses: getResponses,
    }),
    (c) => c.body(null, 204),
  )
  .openapi(
    route("encoder", {
      method: "get",
      path: "/v1/rooms/{room}/whip/{session}",
      summary: "Whether the stream is there; nothing can be read",
      request: { params: resource },
      responses: { ...getResponses, ...refusals("not-found") },
    }),
    async (c) => {
      const { joining } = c.var;
      const place = c.req.valid("param");
      own(joining, place.room);
      await locateCarried(c.env, carriedBy(joining, place));
      return c.body(null, 204);
    },
  )
  .openapi(
    route("encoder", {
      method: "patch",
      path: "/v1/rooms/{room}/whip/{session}",
      summary: "Trickle ICE candidates, or restart ICE",
      request: { params: resource, body: textBody(fragmentType) },
      responses: {
        ...patchResponses,
        ...refusals("precondition-required"),
      },
    }),
    async (c) => {
      const { joining } = c.var;
      const place = c.req.valid("param");
      own(joining, place.room);
      const fragment = await readText(c, fragmentType);
      const ifMatch = readIfMatch(c);
      return patched(await patchIce(c.env, carriedBy(joining, place), fragment, ifMatch));
    },
  )
  .openapi(
    route("encoder", {
      method: "delete",
      path: "/v1/rooms/{room}/whip/{session}",
      summary: "End the stream",
      request: { params: resource },
      responses: deleteResponses,
    }),
    async (c) => {
      const { joining } = c.var;
      const place = c.req.valid("param");
      own(joining, place.room);
      await endCarried(c.env, carriedBy(joining, place));
      return c.body(null, 200);
    },
  )
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/sessions/{session}/stream-keys",
      summary: "Make a key with which an encoder publishes under one's own identity",
      request: { params: idParam("session", idOf("session")) },
      responses: {
        201: json(api.streamKey, "What to paste into the encoder."),
        ...refusals("not-found", "forbidden"),
      },
    }),
    async (c) => {
      const { session } = c.req.valid("param");
      if (session !== c.var.session.sessionId) throw new Problem("not-found");
      return c.json(await makeStreamKey(c.env, c.var.session), 201);
    },
  );
