import { html } from "htm/preact";
import type { VideoCodec } from "#schema/media.ts";

interface Props {
  codec: VideoCodec;
  onChoose(codec: VideoCodec): void;
}

/** Each codec as people call it, and what choosing it means. */
const codecs: Record<VideoCodec, [name: string, meaning: string]> = {
  vp8: [
    "VP8",
    "Every browser can send and show it. Right for most rooms, and for large ones.",
  ],
  h264: [
    "H264",
    "Phones and laptops often have hardware for it: cooler devices, longer batteries.",
  ],
  vp9: [
    "VP9",
    "A sharper picture for the same bandwidth, at more work for those on camera.",
  ],
  av1: [
    "AV1",
    "The sharpest for little bandwidth, best for small rooms: it costs those on " +
      "camera the most work, and everyone is sent the same picture, large or small.",
  ],
};

/** What cameras and screens of a new room are sent in. */
export function CodecField({ codec, onChoose }: Props) {
  return html`<label class="field">
    <span>Video codec</span>
    <select
      data-testid="codec-select"
      value=${codec}
      aria-describedby="codec-meaning"
      onChange=${(event: Event) =>
        onChoose((event.target as HTMLSelectElement).value as VideoCodec)}
    >
      ${Object.entries(codecs).map(
        ([value, [name]]) =>
          html`<option value=${value}>${name}${value === "vp8" ? " (default)" : ""}</option>`,
      )}
    </select>
    <small id="codec-meaning">${codecs[codec][1]}${codec === "vp8" ? "" : " Browsers that cannot send it send VP8."}</small>
  </label>`;
}
