/* What these tests use of a page, which Node's own types do not know. */

export interface Row {
  querySelector(selector: string): { textContent: string } | null;
  querySelectorAll(selector: string): Iterable<{ textContent: string }>;
}

export interface Scrolled {
  scrollTop: number;
  scrollHeight: number;
  clientHeight: number;
}

type Stats = Map<
  string,
  { type: string; packetsReceived?: number; packetsSent?: number; active?: boolean }
>;

interface ShownView {
  id: string | undefined;
  broadcastId: string;
  state: string;
  requestedAtMs: number;
  firstFrameAtMs: number | undefined;
  heardOnly: boolean;
  receiving: { spatialLayer?: number };
  consumers: Map<string, { kind: string; getStats(): Promise<Stats> }>;
}

/** What is used here of the page's own globals, which Node's types do not know. */
export interface PageGlobals {
  weir: {
    room?: {
      chat: { say(text: string): Promise<void> };
      views: Map<string, ShownView>;
      publications: Set<{
        getStats(kind: string): Promise<Stats>;
        setTrack(track: object | undefined): Promise<void>;
      }>;
      stats(): Promise<{ views: Map<string, { codec?: string }> }>;
      on(event: string, listener: () => void): () => void;
    };
  };
  performance: { now(): number };
  innerWidth: number;
  /** Set by a test: how often the page asked for a screen. */
  asked: number;
  /** Set by a test: when a broadcast changed, in milliseconds since 1970. */
  changedAtMs: number;
  navigator: {
    mediaDevices: {
      getDisplayMedia(options?: {
        video: boolean;
      }): Promise<{ getVideoTracks(): object[] }>;
    };
  };
  document: {
    documentElement: { scrollWidth: number };
    querySelector(selector: string): {
      videoHeight: number;
      click(): void;
      getVideoPlaybackQuality(): { totalVideoFrames: number };
    } | null;
  };
}
