import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Entry } from "#schema/api/rooms.ts";

/** What a flooder is told to do, as one JSON text on its command line. */
export interface FloodOrder {
  /** Where control listens. */
  url: string;
  /** The loopback address to call from. */
  from: string;
  perSecond: number;
  /** One HTTP request, as it goes over the wire, or a member who says too much. */
  send: { request: string } | { entry: Entry };
}

/** What it did, as one JSON text on its standard output when told to stop. */
export interface Flooded {
  sent: number;
  refused: number;
  /** Share of one core that sending took. */
  cpuShare: number;
}

const burstsPerSecond = 20;

/** Sends the same bytes again and again, and counts the answers' status lines. */
async function openConnection(order: FloodOrder, request: string, count: () => void) {
  const { hostname, port } = new URL(order.url);
  const socket: Socket = connect({
    host: hostname === "localhost" ? "127.0.0.1" : hostname,
    port: Number(port),
    localAddress: order.from,
  });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  socket.on("data", (data) => {
    let at = data.indexOf(refusal);
    for (; at >= 0; at = data.indexOf(refusal, at + refusal.length)) count();
  });
  // One that control closes is of no more use, and no harm.
  socket.on("error", () => {});
  const bytes = Buffer.from(request);
  return () => void (socket.writable && socket.write(bytes));
}
const refusal = Buffer.from("HTTP/1.1 429");

/** Says something on a room's channel, and counts the refusals. */
async function openChannel({ url }: FloodOrder, entry: Entry, count: () => void) {
  const address = new URL(entry.channelPath, url);
  address.protocol = "ws:";
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", reject, { once: true });
  });
  const { credential, eventSeq: afterSeq } = entry;
  const welcome = new Promise<void>((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      if (String(data).includes('"chat.refused"')) count();
      if (String(data).includes('"welcome"')) resolve();
    });
  });
  socket.send(JSON.stringify({ type: "hello", credential, afterSeq }));
  await welcome;
  let said = 0;
  return () => {
    said += 1;
    const message = { type: "chat.send", clientId: `flood-${said}`, text: "flood" };
    socket.send(JSON.stringify(message));
  };
}

const order = JSON.parse(process.argv[2] ?? "") as FloodOrder;
const { send } = order;
let sent = 0;
let refused = 0;
const count = () => {
  refused += 1;
};
const senders =
  "request" in send
    ? await Promise.all(
        Array.from({ length: 16 }, () => openConnection(order, send.request, count)),
      )
    : [await openChannel(order, send.entry, count)];
const startedMs = performance.now();
const startedCpu = process.cpuUsage();
let stopping = false;
// Its starter closes its input when it is to stop.
process.stdin.on("end", () => {
  stopping = true;
});
process.stdin.resume();
while (!stopping) {
  for (let at = 0; at < order.perSecond / burstsPerSecond; at++) {
    senders[sent % senders.length]?.();
    sent += 1;
  }
  await delay(1000 / burstsPerSecond);
}
const { user, system } = process.cpuUsage(startedCpu);
const cpuShare = (user + system) / 1000 / (performance.now() - startedMs);
await delay(500);
process.stdout.write(JSON.stringify({ sent, refused, cpuShare } satisfies Flooded));
process.exit(0);
