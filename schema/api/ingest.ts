import { z } from "zod";

export const streamKey = z
  .object({
    /** Where the encoder sends its offer, on this host. */
    path: z.string(),
    key: z.string().meta({ description: "The encoder's bearer token." }),
    expiresAt: z.iso.datetime(),
    /** The most that a stream may send of each kind, in kbit/s. */
    maxKbps: z.object({ camera: z.number().int(), screen: z.number().int() }),
  })
  .meta({ id: "StreamKey" });
