/* What a crowd can be asked from another process. */

/** Where the crowd finds control, and in whose name it opens rooms. */
export interface CrowdOptions {
  apiKey: string;
  /** The port of the door to control, which listens on every loopback address. */
  doorPort: number;
  rooms: number;
  tier: number;
}

/** What the crowd has seen so far. */
export interface CrowdReport {
  present: number;
  broadcasters: number;
  /** Pairs of viewer and camera that there were or are. */
  views: number;
  /** Those of them whose picture stayed away at least once. */
  interrupted: number;
  /** Milliseconds of each interruption. */
  interruptionMs: number[];
  /** The longest ones: who missed whom, for how long, until when in the run. */
  longest: string[];
  /** Milliseconds from wanting a camera to its first picture. */
  firstPictureMs: number[];
  /** Cameras that should be seen by someone at this moment, and are not. */
  dark: number;
  /** Participants whose room was closed on them, by reason. */
  failures: Record<string, number>;
}

/** Someone who is not well, as their SDK sees it. */
export interface Described {
  identity: string;
  /** Whom they do not see, and for how long by now. */
  dark: { identity: string; ms: number }[];
  [what: string]: unknown;
}

export interface CrowdMethods {
  /** Opens the rooms; @returns their ids */
  start(options: CrowdOptions): Promise<string[]>;
  /** @returns the identity under which someone came */
  join(roomAt: number, broadcasts: boolean): Promise<string>;
  leave(identity: string): Promise<void>;
  /** The address that someone comes from, if they are there. */
  addressOf(identity: string): string | undefined;
  /** The session that someone is in, if they are there. */
  sessionOf(identity: string): string | undefined;
  /** Lets every connection of someone's media break. */
  breakTransports(identity: string): Promise<void>;
  /** Lets someone fall silent, whose address was cut before. */
  vanish(identity: string): void;
  leaveAll(): Promise<void>;
  report(): CrowdReport;
  /** How many pictures came so far, by viewer and camera. */
  pictures(): Record<string, number>;
  describeDark(): Described[];
}
