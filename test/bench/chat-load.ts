/** One socket of a room under load, however it came to be. */
export interface Talker {
  socket: WebSocket;
  /** The frame that says this text. */
  frame(text: string): string;
  /** The texts that an arriving frame delivers. */
  texts(frame: string): string[];
  /** Called with the frames received so far, so that it may acknowledge them. */
  received?(count: number): void;
}

export interface ChatFigures {
  deliveredPerSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** Time before the counting starts, so that everything is compiled. */
const warmUpMs = 1000;

/**
 * Keeps every room talking: each of its speakers says the next thing when all of
 * the room have heard the last one.
 * @param rooms the sockets of each room
 * @param speakers how many of a room speak at once
 * @param runMs milliseconds that are counted
 */
export async function talk(
  rooms: Talker[][],
  speakers: number,
  runMs: number,
): Promise<ChatFigures> {
  const latenciesMs: number[] = [];
  let counting = false;
  let running = true;
  for (const room of rooms) {
    const heardBy = new Map<string, number>();
    const say = (talker: Talker, at: number) => {
      if (running) talker.socket.send(talker.frame(`${at} ${performance.now()}`));
    };
    for (const talker of room) {
      let count = 0;
      talker.socket.addEventListener("message", ({ data }) => {
        count += 1;
        if (count % 100 === 0) talker.received?.(count);
        for (const text of talker.texts(String(data))) {
          const [at = "", saidAtMs] = text.split(" ");
          if (counting) latenciesMs.push(performance.now() - Number(saidAtMs));
          const heard = (heardBy.get(text) ?? 0) + 1;
          heardBy.set(text, heard);
          if (heard < room.length) continue;
          heardBy.delete(text);
          const speaker = room[Number(at)];
          if (speaker) say(speaker, Number(at));
        }
      });
    }
    for (const [at, talker] of room.slice(0, speakers).entries()) say(talker, at);
  }
  await new Promise((resolve) => setTimeout(resolve, warmUpMs));
  counting = true;
  await new Promise((resolve) => setTimeout(resolve, runMs));
  counting = false;
  running = false;
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number) => latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0;
  return {
    deliveredPerSecond: (latenciesMs.length / runMs) * 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

/** Opens a socket. */
export async function openSocket(url: URL): Promise<WebSocket> {
  const address = new URL(url);
  address.protocol = "ws:";
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", reject, { once: true });
  });
  return socket;
}
