import * as control from "../../control/worker.ts";

/*
 * Control with objects that can be ended from outside in the middle of what they
 * do, as the platform ends them for an update or for their memory. Their requests
 * and sockets break, their storage stays.
 */

const mortal = (Base) =>
  class extends Base {
    die(reason) {
      this.ctx.abort(reason);
    }
  };

export const NodeMailbox = mortal(control.NodeMailbox);
export const RoomChannel = mortal(control.RoomChannel);
export const WebhookCourier = mortal(control.WebhookCourier);
export const ZoneBroker = mortal(control.ZoneBroker);

const ended = "ended by a test";

/** Ends the object that a request names as /end/<binding>/<name>. */
async function end(path, env) {
  const [, , binding, name] = path.split("/").map(decodeURIComponent);
  try {
    await env[binding].getByName(name).die(ended);
  } catch (error) {
    // The call breaks with the object that it ends.
    if (!String(error).includes(ended)) throw error;
  }
  return new Response("ended");
}

/** Frees what the heap holds in vain; takes a runtime with --expose-gc. */
function collect() {
  globalThis.gc();
  return new Response("collected");
}

export default {
  ...control.default,
  fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/end/")) return end(pathname, env);
    if (pathname === "/collect") return collect();
    return control.default.fetch(request, env, context);
  },
};
