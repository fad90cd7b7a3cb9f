import { OpenAPIHono, z } from "@hono/zod-openapi";
import { idOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import type { Joining } from "../auth/join-tokens.ts";
import { configOf } from "../env.ts";
import { iceServersFor } from "../services/ice-servers.ts";
import { type Carried, endCarried, locateCarried, patchIce } from "../services/ingest.ts";
import { play } from "../services/playback.ts";
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
import { idParam, refusals, route } from "./spec.ts";

const params = idParam("broadcast", idOf("broadcast"));
const resource = z.object({ broadcast: idOf("broadcast"), session: idOf("session") });
const query = z.object({
  layer: z.coerce.number().int().min(0).max(7).optional().meta({
    description: "The best spatial layer that is wanted, 0 the smallest; default all.",
  }),
});

function carriedBy({ identity, roomId }: Joining, sessionId: string): Carried {
  return { roomId, sessionId, identity, carrier: "whep" };
}

const app = new OpenAPIHono<AppEnv>({ defaultHook: invalid });
app.use("/v1/broadcasts/:broadcast/whep/*", ...crossOrigin);

/** WHEP: a stock player watches one broadcast, in a room that its token is for. */
export const whep = app
  .openapi(
    route("joinToken", {
      method: "post",
      path: "/v1/broadcasts/{broadcast}/whep",
      summary: "Play a broadcast by WHEP: an SDP offer, with a join token",
      request: { params, query, body: textBody(sdpType) },
      responses: {
        201: text(sdpType, "The answer. Location is the player's own resource."),
        ...refusals(...offerRefusals, "no-consumer-capacity"),
      },
    }),
    async (c) => {
      const { broadcast } = c.req.valid("param");
      const offer = await readText(c, sdpType);
      const { layer } = c.req.valid("query");
      const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
      const asked = { offer, layer };
      const player = await play(c.env, c.var.joining, broadcast, asked, later);
      const location = `/v1/broadcasts/${broadcast}/whep/${player.sessionId}`;
      return created(
        location,
        player,
        await iceServersFor(configOf(c.env), c.var.joining.identity),
      );
    },
  )
  .openapi(
    route("anyone", {
      method: "get",
      path: "/v1/broadcasts/{broadcast}/whep",
      summary: "Whether WHEP is spoken here; nothing can be read",
      request: { params },
      responses: getResponses,
    }),
    (c) => c.body(null, 204),
  )
  .openapi(
    route("joinToken", {
      method: "get",
      path: "/v1/broadcasts/{broadcast}/whep/{session}",
      summary: "Whether the player is there; nothing can be read",
      request: { params: resource },
      responses: { ...getResponses, ...refusals("not-found") },
    }),
    async (c) => {
      const { session } = c.req.valid("param");
      await locateCarried(c.env, carriedBy(c.var.joining, session));
      return c.body(null, 204);
    },
  )
  .openapi(
    route("joinToken", {
      method: "patch",
      path: "/v1/broadcasts/{broadcast}/whep/{session}",
      summary: "Trickle ICE candidates, or restart ICE",
      request: { params: resource, body: textBody(fragmentType) },
      responses: patchResponses,
    }),
    async (c) => {
      const carried = carriedBy(c.var.joining, c.req.valid("param").session);
      const fragment = await readText(c, fragmentType);
      // Players in use send candidates without If-Match, and it is theirs alone.
      const ifMatch = readIfMatch(c) ?? "*";
      return patched(await patchIce(c.env, carried, fragment, ifMatch));
    },
  )
  .openapi(
    route("joinToken", {
      method: "delete",
      path: "/v1/broadcasts/{broadcast}/whep/{session}",
      summary: "Stop playing",
      request: { params: resource },
      responses: deleteResponses,
    }),
    async (c) => {
      await endCarried(c.env, carriedBy(c.var.joining, c.req.valid("param").session));
      return c.body(null, 200);
    },
  );
