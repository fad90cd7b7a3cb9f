import type { types } from "mediasoup-client";

/** A box on the screen, in its device's own pixels. */
export interface BoxSize {
  width: number;
  height: number;
}

/** A picture that is blown up by no more than this looks as well. */
const stretchMax = 1.25;

/**
 * The lowest spatial layer that fills a box.
 * @param layers how many there are; each is half as high as the next
 * @param full the size of the best one
 */
export function layerFor(box: BoxSize, layers: number, full: BoxSize): number {
  const needed = Math.max(box.height, (box.width * full.height) / full.width);
  for (let layer = 0; layer < layers - 1; layer += 1) {
    const height = full.height / 2 ** (layers - 1 - layer);
    if (height * stretchMax >= needed) return layer;
  }
  return layers - 1;
}

/** How many spatial layers a consumer can choose from. */
export function spatialLayersOf(consumer: types.Consumer): number {
  const [encoding] = consumer.rtpParameters.encodings ?? [];
  const [, layers = "1"] = /^[LS](\d)T/.exec(encoding?.scalabilityMode ?? "") ?? [];
  return Number(layers);
}
