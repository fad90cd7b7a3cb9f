import { serve } from "../rpc.ts";
import "./browser-globals.ts";
import type { CrowdMethods } from "./contract.ts";
import { Crowd } from "./crowd.ts";

/* The crowd's own process: its media must not wait for what else the run does. */

let crowd: Crowd | undefined;

function there(): Crowd {
  if (!crowd) throw new Error("The crowd was not started.");
  return crowd;
}

const methods: CrowdMethods = {
  async start(options) {
    crowd = new Crowd(options);
    return crowd.open();
  },
  join: (roomAt, broadcasts) => there().join(roomAt, broadcasts),
  leave: (identity) => there().leave(identity),
  addressOf: (identity) => there().addressOf(identity),
  sessionOf: (identity) => there().sessionOf(identity),
  breakTransports: (identity) => there().breakTransports(identity),
  vanish: (identity) => there().vanish(identity),
  leaveAll: () => there().leaveAll(),
  report: () => there().report(),
  pictures: () => there().pictures(),
  describeDark: () => there().describeDark(),
};

// The SDK may give up on something that nobody waits for any more.
process.on("unhandledRejection", (error) => console.error("unhandled:", error));
serve(methods);
