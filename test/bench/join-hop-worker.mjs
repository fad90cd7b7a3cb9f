import { DurableObject } from "cloudflare:workers";
import { createApp } from "#control/app.ts";

/** Does nothing: what a request through it takes is what any object costs. */
export class EmptyObject extends DurableObject {
  async nothing() {
    return { status: "ok" };
  }
}

// The real API's application with one more route, so that only the object differs.
const app = createApp().get("/hop", async (c) => {
  const { EMPTY_OBJECT: namespace } = c.env;
  return c.json(await namespace.get(namespace.idFromName("one")).nothing(), 200);
});

export default { fetch: app.fetch };
