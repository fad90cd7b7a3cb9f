import { setTimeout as delay } from "node:timers/promises";
import { databaseNames } from "#schema/databases.ts";
import type { Host } from "./fleet.ts";
import type { Fault } from "./schedule.ts";
import type { RunningZone } from "./zone.ts";

const minuteMs = 60_000;
/** Polls that a disturbance of polls hits in a row. */
const pollsHit = 3;

/**
 * Lets one thing fail, and mends it.
 * @returns when it is mended, as far as it ever is
 */
export async function inject(fault: Fault, zone: RunningZone): Promise<void> {
  const { control, fleet, roomIds, population } = zone;
  const { kind, forMs, which } = fault;
  const host = placeAt(fleet.hosts, fault.host);
  switch (kind) {
    case "worker-kill":
      return killWorker(host, which);
    case "agent-kill":
      await host.kill();
      await delay(forMs);
      return host.start();
    case "clock-skew":
      await host.kill();
      await delay(forMs);
      return host.start(which % 2 ? minuteMs : -minuteMs);
    case "agent-stop":
      host.agent?.signal("SIGSTOP");
      await delay(forMs);
      host.agent?.signal("SIGCONT");
      return;
    case "agent-drain":
      await host.drain();
      return host.start();
    case "host-cut":
    case "host-cut-short":
      // Its way to control alone, or its media as well.
      if (which % 2) host.link.cut(true);
      else host.freeze();
      await delay(forMs);
      host.link.cut(false);
      host.thaw();
      return;
    case "control-restart":
      return restartControl(zone, forMs);
    case "broker-evict":
      return control.remote.endObject("ZONE_BROKER", zone.name);
    case "mailbox-evict":
      return control.remote.endObject("NODE_MAILBOX", host.nodeId);
    case "channel-evict":
      return control.remote.endObject("ROOM_CHANNEL", placeAt(roomIds, which));
    case "database-outage": {
      const name = placeAt(databaseNames, which);
      await control.remote.stopDatabase(name);
      await delay(forMs);
      await control.remote.resumeDatabase(name);
      return;
    }
    case "poll-lost":
      return host.link.disturb("lose", pollsHit);
    case "poll-doubled":
      return host.link.disturb("double", pollsHit);
    case "poll-late":
      return host.link.disturb("late", pollsHit);
    case "poll-shuffled":
      return host.link.disturb("shuffle", pollsHit);
    case "broadcaster-vanish":
      return population.vanish(true, which);
    case "viewer-vanish":
      return population.vanish(false, which);
  }
}

function shutOut({ door, fleet }: RunningZone, isShut: boolean): void {
  if (isShut) door.shut();
  else door.reopen();
  for (const { link } of fleet.hosts) link.refuse(isShut);
}

/** Control is killed, is away for all, and comes back without memory. */
async function restartControl(zone: RunningZone, forMs: number): Promise<void> {
  shutOut(zone, true);
  try {
    await Promise.all([zone.control.remote.crash(), delay(forMs)]);
  } finally {
    shutOut(zone, false);
  }
}

async function killWorker(host: Host, which: number): Promise<void> {
  const workers = (await host.state())?.workers ?? [];
  const pid = workers.length > 0 ? placeAt(workers, which).pid : undefined;
  if (pid) process.kill(pid, "SIGKILL");
}

function placeAt<Item>(items: readonly Item[], at: number): Item {
  const item = items[at % items.length];
  if (item === undefined) throw new Error("There is nothing to hit.");
  return item;
}
