import { html } from "htm/preact";
import type { MediaStats } from "../sdk/index.ts";

/** A picture's numbers, over it. */
export function TileNumbers({ stats }: { stats: MediaStats | undefined }) {
  if (!stats) return null;
  const { width, height, framesPerSecond, spatialLayer, temporalLayer } = stats;
  const picture = height
    ? `${width}×${height}, ${Math.round(framesPerSecond ?? 0)} fps`
    : "no picture";
  const layer =
    spatialLayer === undefined
      ? undefined
      : `layer ${spatialLayer}${temporalLayer === undefined ? "" : `.${temporalLayer}`}`;
  const rows: [string, string | undefined][] = [
    ["Picture", [picture, stats.codec].filter(Boolean).join(", ")],
    ["Bitrate", `${Math.round(stats.bitrateKbps)} kbit/s`],
    ["Layer", layer],
    ["Loss", percent(stats.lossPercent)],
    ["Round trip", milliseconds(stats.roundTripMs)],
    ["Worker", stats.workerId && workerLabel(stats.workerId)],
  ];
  return html`<dl class="numbers" data-testid="numbers">
    ${rows.map(
      ([name, value]) =>
        value && html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`,
    )}
  </dl>`;
}

function percent(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value.toFixed(1)} %`;
}

function milliseconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${Math.round(value)} ms`;
}

/** A worker's id without what all of them share: host and number. */
export function workerLabel(workerId: string): string {
  const [, , host = workerId, ordinal] = workerId.split("_");
  return ordinal === undefined ? host : `${host} · ${ordinal}`;
}
