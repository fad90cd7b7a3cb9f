import { DurableObject } from "cloudflare:workers";
import { createApp } from "#control/app.ts";
import { limitAddress } from "#control/auth/limits.ts";

/** Does nothing: what a request through it takes is what any object costs. */
export class EmptyObject extends DurableObject {
  async nothing() {
    return { status: "ok" };
  }
}

// The real API's application with one more route, behind the door that every route has,
// so that only what is done with the object differs.
const app = createApp().get("/hop", limitAddress("anyone"), async (c) => {
  const { EMPTY_OBJECT: namespace } = c.env;
  return c.json(await namespace.get(namespace.idFromName("one")).nothing(), 200);
});

export default { fetch: app.fetch };
