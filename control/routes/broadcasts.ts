import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as api from "#schema/api/media.ts";
import * as roomApi from "#schema/api/rooms.ts";
import { idOf, zoneOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import { ask } from "../services/ask.ts";
import { showInRoom, startTrack } from "../services/broadcasts.ts";
import { resumeBroadcast, resumeTrack } from "../services/resume.ts";
import { broadcastStats } from "../services/stats.ts";
import { invalid } from "./invalid.ts";
import { readerOf } from "./reader.ts";
import { body, idParam, json, refusals, route } from "./spec.ts";

const params = idParam("broadcast", idOf("broadcast"));
const trackParams = z.object({ broadcast: idOf("broadcast"), track: idOf("track") });

export const broadcasts = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/broadcasts/{broadcast}/tracks",
      summary: "Add a track to one's own broadcast",
      request: { params, body: body(api.createTrack) },
      responses: {
        201: json(api.track, "The track."),
        ...refusals(
          "unauthenticated",
          "not-found",
          "validation-failed",
          "media-failed",
          "media-timeout",
        ),
      },
    }),
    async (c) => {
      const { broadcast: broadcastId } = c.req.valid("param");
      return c.json(
        await startTrack(c.env, c.var.session, broadcastId, c.req.valid("json")),
        201,
      );
    },
  )
  .openapi(
    route("session", {
      method: "patch",
      path: "/v1/broadcasts/{broadcast}/tracks/{track}",
      summary: "Mute or unmute a track",
      request: { params: trackParams, body: body(api.patchTrack) },
      responses: {
        200: json(api.track, "The track."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { broadcast: broadcastId, track: trackId } = c.req.valid("param");
      const { roomId, sessionId } = c.var.session;
      const wanted = c.req.valid("json").paused
        ? ("paused" as const)
        : ("playing" as const);
      const input = { roomId, sessionId, broadcastId, trackId, wanted };
      return c.json(await ask(c.env, zoneOf(roomId) ?? "", "changeTrack", input), 200);
    },
  )
  .openapi(
    route("session", {
      method: "delete",
      path: "/v1/broadcasts/{broadcast}/tracks/{track}",
      summary: "End a track",
      request: { params: trackParams },
      responses: {
        200: json(api.track, "The track that ended."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { broadcast: broadcastId, track: trackId } = c.req.valid("param");
      const { roomId, sessionId } = c.var.session;
      const input = {
        roomId,
        sessionId,
        broadcastId,
        trackId,
        wanted: "closed" as const,
      };
      return c.json(await ask(c.env, zoneOf(roomId) ?? "", "changeTrack", input), 200);
    },
  )
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/broadcasts/{broadcast}/transport",
      summary: "Get a new sending transport for one's own broadcast, which goes on",
      description:
        "For a broadcast that was moved (`broadcast.moved`) or whose transport was lost. " +
        "Produce each of its tracks on it next. Asking again returns the same one.",
      request: { params, body: body(api.resumeBroadcast) },
      responses: {
        200: json(api.createdBroadcast, "The broadcast and its new transport."),
        ...refusals(
          "unauthenticated",
          "not-found",
          "validation-failed",
          "no-producer-capacity",
          "no-screen-capacity",
          "no-pipe-capacity",
          "egress-exhausted",
          "media-failed",
          "media-timeout",
        ),
      },
    }),
    async (c) => {
      const { broadcast: broadcastId } = c.req.valid("param");
      const { dtlsParameters } = c.req.valid("json");
      const { session } = c.var;
      return c.json(
        await resumeBroadcast(c.env, session, broadcastId, dtlsParameters),
        200,
      );
    },
  )
  .openapi(
    route("session", {
      method: "put",
      path: "/v1/broadcasts/{broadcast}/tracks/{track}",
      summary: "Produce a track again on its broadcast's new transport",
      description: "With the last of its tracks the broadcast goes on.",
      request: { params: trackParams, body: body(api.resumeTrack) },
      responses: {
        200: json(api.track, "The track."),
        ...refusals(
          "unauthenticated",
          "not-found",
          "validation-failed",
          "media-failed",
          "media-timeout",
        ),
      },
    }),
    async (c) => {
      const { broadcast: broadcastId, track: trackId } = c.req.valid("param");
      const sent = c.req.valid("json");
      return c.json(
        await resumeTrack(c.env, c.var.session, broadcastId, trackId, sent),
        200,
      );
    },
  )
  .openapi(
    route("session", {
      method: "delete",
      path: "/v1/broadcasts/{broadcast}",
      summary: "End one's own broadcast",
      request: { params },
      responses: {
        200: json(z.object({ stopped: z.boolean() }), "Whether it was still there."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { broadcast: broadcastId } = c.req.valid("param");
      const { roomId, sessionId } = c.var.session;
      const input = { roomId, sessionId, broadcastId };
      return c.json(await ask(c.env, zoneOf(roomId) ?? "", "stopBroadcast", input), 200);
    },
  )
  .openapi(
    route("session", {
      method: "post",
      path: "/v1/broadcasts/{broadcast}/rooms",
      summary: "Show one's own broadcast in a second room too",
      request: { params, body: body(roomApi.showBroadcast) },
      responses: {
        200: json(roomApi.shownBroadcast, "The rooms in which it is shown."),
        ...refusals(
          "unauthenticated",
          "forbidden",
          "not-found",
          "room-closed",
          "tier-broadcasts-exceeded",
        ),
      },
    }),
    async (c) => {
      const { broadcast: broadcastId } = c.req.valid("param");
      const { token } = c.req.valid("json");
      return c.json(await showInRoom(c.env, c.var.session, broadcastId, token), 200);
    },
  )
  .openapi(
    route("session", {
      method: "delete",
      path: "/v1/broadcasts/{broadcast}/rooms/{room}",
      summary: "Show it in that room no longer",
      request: {
        params: z.object({ broadcast: idOf("broadcast"), room: idOf("room") }),
      },
      responses: {
        200: json(roomApi.shownBroadcast, "The rooms in which it is shown."),
        ...refusals("unauthenticated", "not-found", "validation-failed"),
      },
    }),
    async (c) => {
      const { broadcast: broadcastId, room: otherRoomId } = c.req.valid("param");
      const { roomId, sessionId } = c.var.session;
      const input = { roomId, sessionId, broadcastId, otherRoomId };
      return c.json(
        await ask(c.env, zoneOf(roomId) ?? "", "unshowBroadcast", input),
        200,
      );
    },
  )
  .openapi(
    route("reader", {
      method: "get",
      path: "/v1/broadcasts/{broadcast}/stats",
      summary: "mediasoup's numbers for a broadcast",
      request: { params },
      responses: {
        200: json(api.mediaStats, "The numbers."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { broadcast: broadcastId } = c.req.valid("param");
      return c.json(await broadcastStats(c.env, readerOf(c), broadcastId), 200);
    },
  );
