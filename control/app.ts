import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "./auth/access.ts";
import { limitAddress } from "./auth/limits.ts";
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
  // Describing all routes takes as long as hundreds of calls: it is done once.
  const described = once(() => app.getOpenAPI31Document(about));
  const text = once(() => JSON.stringify(described()));
  app.get("/openapi.json", limitAddress("anyone"), (c) =>
    c.body(text(), 200, { "content-type": "application/json" }),
  );
  app.route("/", docs(described));
  app.notFound(() => problemResponse("not-found"));
  app.onError(answerError);
  return app;
}

function once<Made>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => {
    made ??= make();
    return made;
  };
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
