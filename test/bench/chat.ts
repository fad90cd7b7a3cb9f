import { join } from "node:path";
import { createTestHarness } from "wrangler";
import type { Entry } from "#schema/api/rooms.ts";
import type { ClientMessage, ServerMessage } from "#schema/channel.ts";
import { type Control, noLimits, startControl } from "#test/harness/control.ts";
import { openSocket, type Talker, talk } from "./chat-load.ts";
import { type Bench, main, type Row } from "./report.ts";

const shapes = [
  { rooms: 1, sockets: 100, speakers: 4 },
  { rooms: 100, sockets: 10, speakers: 1 },
];
const paths = ["echo", "dedicated", "global"] as const;
type Path = (typeof paths)[number];

const bench: Bench = {
  name: "chat",
  title:
    "Chat messages delivered through the channels, beside a bare object that echoes.",
  columns: [
    { key: "path", title: "path" },
    { key: "rooms", title: "rooms" },
    { key: "sockets", title: "sockets a room" },
    { key: "deliveredPerSecond", title: "delivered a second", digits: 0 },
    { key: "p50Ms", title: "p50 ms", digits: 1 },
    { key: "p99Ms", title: "p99 ms", digits: 1 },
    { key: "shareOfEcho", title: "of the echo's rate", percent: true, digits: 0 },
  ],
  plots: [
    {
      title: "Messages delivered a second",
      label: ["path", "rooms"],
      value: "deliveredPerSecond",
    },
  ],
  async run({ long }, progress) {
    const runMs = long ? 20_000 : 4000;
    progress.start(shapes.length * paths.length);
    const rows: Row[] = [];
    for (const { rooms, sockets, speakers } of shapes) {
      let echoed = 0;
      for (const path of paths) {
        const { talkers, stop } = await (path === "echo"
          ? echoRooms(rooms, sockets)
          : channelRooms(path, rooms, sockets));
        const figures = await talk(talkers, speakers, runMs);
        await stop();
        if (path === "echo") echoed = figures.deliveredPerSecond;
        const shareOfEcho = figures.deliveredPerSecond / echoed;
        rows.push({ path, rooms, sockets, ...figures, shareOfEcho });
        progress.step();
      }
    }
    return rows;
  },
  // The channel keeps what it delivers, the echo does not: the share says what
  // that costs here, and there is no mark to miss.
  misses: () => [],
};

interface Running {
  talkers: Talker[][];
  stop(): Promise<void>;
}

/** Rooms of bare objects: one each. */
async function echoRooms(rooms: number, sockets: number): Promise<Running> {
  const harness = createTestHarness({
    root: import.meta.dirname,
    workers: [{ configPath: join(import.meta.dirname, "chat-echo.toml") }],
  });
  const { url } = await harness.listen();
  const talkers: Talker[][] = [];
  for (let room = 0; room < rooms; room += 1) {
    const opening = Array.from({ length: sockets }, () =>
      openSocket(new URL(`/${room}`, url)),
    );
    const open = await Promise.all(opening);
    // The same bytes travel as on the channel, or the comparison would flatter it.
    const frame = (text: string) => JSON.stringify(chatMessage(text));
    talkers.push(open.map((socket) => ({ socket, frame, texts: heard })));
  }
  return { talkers, stop: () => harness.close() };
}

/** Real rooms on the real channels, with the flood limit out of the way. */
async function channelRooms(
  path: Exclude<Path, "echo">,
  rooms: number,
  sockets: number,
): Promise<Running> {
  const control = await startControl({
    settings: {
      limits: noLimits,
      chat: {
        burst: 1_000_000,
        perSecond: 1_000_000,
        unreadMax: 100_000,
        silentMs: 600_000,
      },
      tiers: [
        { broadcasts: 0, viewers: 128 },
        { broadcasts: 6, viewers: 128 },
      ],
    },
  });
  const talkers: Talker[][] = [];
  for (let room = 0; room < rooms; room += 1) {
    talkers.push(await channelRoom(control, path === "global" ? 0 : 1, sockets));
  }
  return { talkers, stop: () => control.stop() };
}

async function channelRoom(
  control: Control,
  tier: number,
  sockets: number,
): Promise<Talker[]> {
  const key = control.keys.api;
  const room = await control.call("POST", "/v1/rooms", { key, body: { tier } });
  const base = `/v1/rooms/${room.body.id}`;
  return Promise.all(
    Array.from({ length: sockets }, async (_, at) => {
      const body = { identity: `talker-${at}` };
      const token = await control.call("POST", `${base}/tokens`, { key, body });
      const path = `${base}/sessions`;
      const entered = await control.call("POST", path, {
        key: token.body.token,
        body: {},
      });
      return joined(control, entered.body as Entry);
    }),
  );
}

async function joined(control: Control, entry: Entry): Promise<Talker> {
  const socket = await openSocket(new URL(entry.channelPath, control.url));
  const send = (message: ClientMessage) => socket.send(JSON.stringify(message));
  const welcomed = new Promise<void>((resolve) => {
    const listen = ({ data }: MessageEvent) => {
      if ((JSON.parse(data) as ServerMessage).type !== "welcome") return;
      socket.removeEventListener("message", listen);
      resolve();
    };
    socket.addEventListener("message", listen);
  });
  send({ type: "hello", credential: entry.credential, afterSeq: entry.eventSeq });
  await welcomed;
  let said = 0;
  return {
    socket,
    frame(text) {
      said += 1;
      const message: ClientMessage = { type: "chat.send", clientId: String(said), text };
      return JSON.stringify(message);
    },
    texts: heard,
    received: (received) => send({ type: "ack", received }),
  };
}

function chatMessage(text: string): ServerMessage {
  const one = { seq: 1, atMs: Date.now(), sessionId: "session_local_0000000000000000" };
  return { type: "chat", messages: [{ ...one, identity: "talker-0", text }] };
}

function heard(frame: string): string[] {
  const message = JSON.parse(frame) as ServerMessage;
  return message.type === "chat" ? message.messages.map(({ text }) => text) : [];
}

if (import.meta.main) await main(bench);

export default bench;
