import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "./auth/access.ts";
import { allowOrigins } from "./auth/origins.ts";
import { isObjectGone } from "./objects/names.ts";
import { Problem, problemResponse } from "./problem.ts";
import { accounts } from "./routes/accounts.ts";
import { agent } from "./routes/agent.ts";
import { broadcasts } from "./routes/broadcasts.ts";
import { channels } from "./routes/channels.ts";
import { docs } from "./routes/docs.ts";
import { fleet } from "./routes/fleet.ts";
import { health } from "./routes/health.ts";
import { lobby } from "./routes/lobby.ts";
import { ownAccount } from "./routes/own-account.ts";
import { payments } from "./routes/payments.ts";
import { rooms } from "./routes/rooms.ts";
import { sessions } from "./routes/sessions.ts";
import { transports } from "./routes/transports.ts";
import { views } from "./routes/views.ts";
import { operatorWebhooks, webhooks } from "./routes/webhooks.ts";
import { whep } from "./routes/whep.ts";
import { whip } from "./routes/whip.ts";
import { beganAnew } from "./services/ask.ts";

const about = {
  openapi: "3.1.0",
  info: { title: "Weir", version: "1", description: "Rooms of many-to-many video." },
};

/** The whole HTTP API. */
export function createApp(): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  app.use("*", secureHeaders());
  app.use("/v1/*", (c, next) => {
    // Encoders' and players' routes are open to any page: they say so themselves.
    const isOpenToAll = /\/(whip|whep)(\/|$)/.test(c.req.path);
    return isOpenToAll ? next() : allowOrigins(c, next);
  });
  for (const part of [
    health,
    rooms,
    sessions,
    broadcasts,
    views,
    transports,
    channels,
    fleet,
    accounts,
    ownAccount,
    payments,
    lobby,
    webhooks,
    operatorWebhooks,
    whep,
    whip,
    agent,
  ]) {
    app.route("/", part);
  }
  const schemes = app.openAPIRegistry;
  for (const name of [
    "apiKey",
    "joinToken",
    "streamKey",
    "sessionCredential",
    "operatorKey",
    "nodeKey",
    "nodeCredential",
  ]) {
    schemes.registerComponent("securitySchemes", name, {
      type: "http",
      scheme: "bearer",
    });
  }
  app.doc31("/openapi.json", about);
  app.route(
    "/",
    docs(() => app.getOpenAPI31Document(about)),
  );
  app.notFound(() => problemResponse("not-found"));
  app.onError(answerError);
  return app;
}

function answerError(error: Error): Response {
  if (error instanceof Problem) return problemResponse(error.code, error.options);
  if (isObjectGone(error)) return answerError(beganAnew());
  if (error instanceof HTTPException) {
    const code = error.status === 415 ? "unsupported-media-type" : "bad-request";
    return problemResponse(code, { detail: error.message });
  }
  console.error(
    JSON.stringify({ alert: "internal", error: String(error), stack: error.stack }),
  );
  return problemResponse("internal");
}
