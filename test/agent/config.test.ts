import { expect, test } from "vitest";
import { ConfigError, readConfig } from "#agent/config.ts";
import { codecsHashOf, mediaCodecs } from "#agent/media/codecs.ts";

const good = {
  WEIR_CONTROL_URL: "https://control.example.org/",
  WEIR_NODE_KEY: "a-long-enough-key",
  WEIR_NODE_NAME: "host-1",
  WEIR_WORKERS: "producer:camera:2,consumer:screen:1:9",
  WEIR_ANNOUNCED_ADDRESS: "203.0.113.7",
};

function errorOf(changes: Record<string, string | undefined>): string {
  try {
    readConfig({ ...good, ...changes });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

test("a full environment is read, with defaults for what it leaves out", () => {
  const config = readConfig(good);
  expect(config.workers).toEqual([
    { role: "producer", mediaClass: "camera" },
    { role: "producer", mediaClass: "camera" },
    { role: "consumer", mediaClass: "screen", points: 9 },
  ]);
  expect(config).toMatchObject({
    controlUrl: "https://control.example.org",
    mediaPort: 40_000,
    pipePorts: { min: 41_000, max: 41_999 },
    pipeAddress: "203.0.113.7",
    egressKbps: 1_000_000,
    metricsPort: 0,
    keyFrameRequestDelayMs: 1000,
  });
});

test.each([
  ["WEIR_CONTROL_URL", "control.example.org"],
  ["WEIR_CONTROL_URL", undefined],
  ["WEIR_NODE_KEY", undefined],
  ["WEIR_NODE_NAME", "Host One"],
  ["WEIR_WORKERS", undefined],
  ["WEIR_WORKERS", "consumer:camera"],
  ["WEIR_WORKERS", "consumer:camera:0"],
  ["WEIR_LISTEN_IP", "localhost"],
  ["WEIR_ANNOUNCED_ADDRESS", undefined],
  ["WEIR_MEDIA_PORT", "70000"],
  ["WEIR_MEDIA_PORT", "65535"],
  ["WEIR_PIPE_PORTS", "41000"],
  ["WEIR_PIPE_PORTS", "42000-41000"],
  ["WEIR_PIPE_PORTS", "40002-40100"],
  ["WEIR_PIPE_ANNOUNCED_ADDRESS", "pipes.example.org"],
  ["WEIR_EGRESS_KBPS", "lots"],
  ["WEIR_METRICS_PORT", "-1"],
  ["WEIR_LOG_LEVEL", "loud"],
])("a wrong %s (%s) is named in the error, on one line", (name, value) => {
  const message = errorOf({ [name]: value });
  expect(message.split("\n")).toHaveLength(1);
  expect(message).toMatch(new RegExp(`^${name} `));
});

test("a host name may be announced to clients, but pipes need an address", () => {
  const changes = { WEIR_ANNOUNCED_ADDRESS: "media.example.org" };
  expect(errorOf(changes)).toMatch(/^WEIR_PIPE_ANNOUNCED_ADDRESS /);
  const whole = { ...good, ...changes, WEIR_PIPE_ANNOUNCED_ADDRESS: "203.0.113.8" };
  expect(readConfig(whole).pipeAddress).toBe("203.0.113.8");
});

test("equal codecs have equal hashes however they are written down, others do not", () => {
  const rewritten = mediaCodecs.map((codec) => {
    return Object.fromEntries(Object.entries(codec).reverse()) as typeof codec;
  });
  expect(codecsHashOf(rewritten)).toBe(codecsHashOf(mediaCodecs));
  expect(codecsHashOf(mediaCodecs)).toMatch(/^[0-9a-f]{64}$/);
  expect(codecsHashOf(mediaCodecs.slice(1))).not.toBe(codecsHashOf(mediaCodecs));
});
