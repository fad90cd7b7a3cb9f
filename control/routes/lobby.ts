import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as fleetApi from "#schema/api/fleet.ts";
import * as api from "#schema/api/rooms.ts";
import { idOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import { type KnownKey, keyRingOf } from "../auth/key-ring.ts";
import { isModeratorKey, moderatorKeyOf } from "../auth/moderator-key.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { ask } from "../services/ask.ts";
import { mintToken, openRoom } from "../services/rooms.ts";
import { invalid } from "./invalid.ts";
import { body, idParam, json, refusals, route } from "./spec.ts";

const lobbyInfo = z
  .object({
    open: z.literal(true),
    tiers: z.array(
      z.object({
        tier: z.number().int(),
        broadcasts: z.number().int(),
        viewers: z.number().int(),
      }),
    ),
  })
  .meta({ id: "Lobby" });

const lobbyRoom = api.room
  .extend({
    moderatorKey: z.string().meta({
      description: "Whoever opened the room shows it to get tokens with roomAdmin.",
    }),
  })
  .meta({ id: "LobbyRoom" });

const createLobbyToken = z
  .object({ identity: api.identity, moderatorKey: z.string().max(128).optional() })
  .meta({ id: "CreateLobbyToken" });

/** With what the lobby opens rooms and mints tokens: its account's newest key. */
async function lobbyKey(env: Env): Promise<KnownKey> {
  const config = configOf(env);
  const key = await keyRingOf(config).newestOf(config.lobbyAccountId);
  if (key) return key;
  const detail = "The lobby's account has no API key: set WEIR_LOBBY_ACCOUNT.";
  throw new Problem("not-found", { detail });
}

/*
 * The lobby lets anyone open rooms without a key. It is for trying Weir on one
 * machine: a deployment that does not set WEIR_LOBBY=open has none of it.
 */
export const lobby = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("lobby", {
      method: "get",
      path: "/v1/lobby",
      summary: "The tiers that the lobby offers",
      responses: { 200: json(lobbyInfo, "The lobby is open."), ...refusals("not-found") },
    }),
    (c) => {
      const { tiers } = configOf(c.env).settings;
      const offered = tiers.map(({ broadcasts, viewers }, tier) => ({
        tier,
        broadcasts,
        viewers,
      }));
      return c.json({ open: true as const, tiers: offered }, 200);
    },
  )
  .openapi(
    route("lobby", {
      method: "post",
      path: "/v1/lobby/rooms",
      summary: "Open a room without a key",
      request: { body: body(api.createRoom) },
      responses: {
        201: json(lobbyRoom, "The open room and its moderator's key."),
        ...refusals(
          "not-found",
          "validation-failed",
          "entitlement-missing",
          "account-cap-exceeded",
          "reservation-refused",
          "busy",
        ),
      },
    }),
    async (c) => {
      const room = await openRoom(c.env, await lobbyKey(c.env), c.req.valid("json"));
      const moderatorKey = await moderatorKeyOf(configOf(c.env), room.id);
      return c.json({ ...room, moderatorKey }, 201);
    },
  )
  .openapi(
    route("lobby", {
      method: "post",
      path: "/v1/lobby/rooms/{room}/tokens",
      summary: "Get a join token without a key",
      request: {
        params: idParam("room", idOf("room")),
        body: body(createLobbyToken),
      },
      responses: {
        201: json(api.token, "The token."),
        ...refusals("forbidden", "not-found", "validation-failed", "room-closed"),
      },
    }),
    async (c) => {
      const { room: roomId } = c.req.valid("param");
      const { identity, moderatorKey } = c.req.valid("json");
      const roomAdmin = moderatorKey !== undefined;
      if (roomAdmin && !(await isModeratorKey(configOf(c.env), roomId, moderatorKey))) {
        throw new Problem("forbidden", { detail: "This is no moderator's key here." });
      }
      const grants = { canPublish: true, canSubscribe: true, roomAdmin };
      const token = { identity, ...grants, ttlSeconds: 600 };
      return c.json(await mintToken(c.env, await lobbyKey(c.env), roomId, token), 201);
    },
  )
  .openapi(
    route("lobby", {
      method: "get",
      path: "/v1/lobby/fleet",
      summary: "The zone's workers and pipes, for the page's strip",
      responses: { 200: json(fleetApi.fleet, "The fleet."), ...refusals("not-found") },
    }),
    async (c) => c.json(await ask(c.env, configOf(c.env).zone, "readFleet", {}), 200),
  );
