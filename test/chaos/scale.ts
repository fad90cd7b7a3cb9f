import type { Settings, SettingsInput } from "#schema/settings.ts";
import type { Pace } from "./schedule.ts";

/** How large a run is, and how fast its clocks go. */
export interface Scale {
  settings: SettingsInput;
  pace: Pace;
  /** Each host's workers, as in WEIR_WORKERS. */
  hosts: readonly string[];
  rooms: number;
  /** Cameras in each room, in turn. */
  cameras: readonly number[];
  viewersPerRoom: number;
  /** Mean time from one viewer's leaving to the next one's. */
  changeMs: number;
  drainMs: number;
}

// Cameras share producer workers here: a room to each would take a fleet.
const tiers: Settings["tiers"] = [
  { broadcasts: 0, viewers: 12, producer: "shared" },
  { broadcasts: 6, viewers: 40, producer: "shared" },
];

/** For a run of many minutes: every delay is what an operator has by default. */
export const longScale: Scale = {
  settings: { tiers },
  pace: { suspectMs: 15_000, leaseMs: 45_000, everyMs: 9000, outageMs: 20_000 },
  hosts: [
    "producer:camera:1,consumer:camera:2",
    "producer:camera:1,consumer:camera:2",
    "producer:camera:1,consumer:camera:1",
    "producer:camera:1,consumer:camera:1",
  ],
  rooms: 10,
  cameras: [1, 1, 1, 1, 2],
  viewersPerRoom: 5,
  changeMs: 5000,
  drainMs: 30_000,
};

/** For a run of half a minute: leases are short, so that they end within it. */
export const quickScale: Scale = {
  settings: {
    tiers,
    chat: { presenceEveryMs: 1000, silentMs: 12_000 },
    // Hosts fail more often here than one would keep: none is held back for long.
    failing: { incidentMs: 2000, withinMs: 4000, holdMs: 3000, holdMaxMs: 6000 },
    moves: { oldRunsMs: 4000 },
    timing: {
      heartbeatMs: 500,
      nodeSuspectMs: 2500,
      nodeLeaseMs: 7000,
      pollHoldMs: 3000,
      pipeLingerMs: 1000,
      viewClaimMs: 8000,
      sessionAttachMs: 10_000,
      // Longer than the longest pause between two attempts of the SDK.
      sessionGraceMs: 6000,
      callDeadlineMs: 3000,
    },
  },
  pace: { suspectMs: 2500, leaseMs: 7000, everyMs: 1500, outageMs: 5000 },
  hosts: [
    "producer:camera:1,consumer:camera:1",
    "producer:camera:1,consumer:camera:1",
    "producer:camera:1,consumer:camera:1",
  ],
  rooms: 4,
  cameras: [1, 2],
  viewersPerRoom: 4,
  changeMs: 2000,
  drainMs: 8000,
};
