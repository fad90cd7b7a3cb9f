import { readFile } from "node:fs/promises";
import type { Logger } from "pino";

/**
 * What every media socket asks for. All of a worker's clients share one socket
 * and a pipe carries many broadcasts, so a burst of keyframes has to fit.
 */
export const socketBufferBytes = 4 * 1024 * 1024;

/** Warns where the kernel will silently give media sockets less than asked. */
export async function warnOfSmallSocketBuffers(log: Logger): Promise<void> {
  for (const name of ["rmem_max", "wmem_max"]) {
    const text = await readFile(`/proc/sys/net/core/${name}`, "utf8").catch(() => "");
    const allowed = Number.parseInt(text, 10);
    if (Number.isNaN(allowed) || allowed >= socketBufferBytes) continue;
    log.warn(
      { allowed, wanted: socketBufferBytes },
      `socket buffers are too small: set net.core.${name}=${socketBufferBytes} by sysctl`,
    );
  }
}
