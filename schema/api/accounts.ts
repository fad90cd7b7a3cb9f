import { z } from "zod";
import { capsStanding, ownCaps } from "../caps.ts";
import { idOf } from "../ids.ts";
import { webOrigin } from "../web-origin.ts";

const name = z.string().min(1).max(80);
const tier = z.number().int().min(0).max(63);

const allowedOrigins = z.array(webOrigin).max(1000).meta({
  description: "Whose pages may call for the account and read what is answered.",
});

export const createAccount = z
  .object({
    name,
    everyTier: z.boolean().optional().meta({
      description:
        "Entitle it to every tier. Unless given: yes where the deployment takes no payments.",
    }),
  })
  .meta({ id: "CreateAccount" });

export const patchAccount = z
  .object({
    name: name.optional(),
    state: z.enum(["active", "suspended"]).optional(),
    everyTier: z.boolean().optional(),
    caps: ownCaps.partial().optional().meta({
      description: "What it may hold at once; a cap that is left out stays as it is.",
    }),
    allowedOrigins: allowedOrigins.optional(),
  })
  .meta({ id: "PatchAccount" });

export const patchOwnAccount = z
  .object({ allowedOrigins: allowedOrigins.optional() })
  .meta({ id: "PatchOwnAccount" });

export const entitlement = z
  .object({
    id: idOf("entitlement"),
    tier: tier.meta({ description: "Rooms up to this tier may be opened." }),
    startsAt: z.iso.datetime(),
    endsAt: z.iso.datetime().optional(),
    renewsAt: z.iso.datetime().optional().meta({
      description: "When it is to be prolonged by itself.",
    }),
    source: z.enum(["operator", "payment"]),
    state: z.enum(["coming", "active", "expiring", "ended"]),
  })
  .meta({ id: "Entitlement" });
export type Entitlement = z.infer<typeof entitlement>;

export const account = z
  .object({
    id: idOf("account"),
    name: z.string(),
    state: z.enum(["active", "suspended"]),
    everyTier: z.boolean(),
    /** The highest tier of which the account may open rooms now. */
    tier,
    createdAt: z.iso.datetime(),
    caps: capsStanding,
    allowedOrigins: z.array(z.string()),
    entitlements: z.array(entitlement),
  })
  .meta({ id: "Account" });
export type Account = z.infer<typeof account>;

export const accountList = z
  .object({
    accounts: z.array(
      account.omit({ allowedOrigins: true, caps: true, entitlements: true, tier: true }),
    ),
    nextCursor: z.string().optional(),
  })
  .meta({ id: "AccountList" });

export const key = z
  .object({
    id: idOf("key"),
    name: z.string(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().optional(),
    revokedAt: z.iso.datetime().optional(),
  })
  .meta({ id: "ApiKey" });
export type Key = z.infer<typeof key>;

export const createKey = z
  .object({ name: name.default("key") })
  .meta({ id: "CreateApiKey" });

export const createdKey = key
  .extend({
    apiKey: z.string().meta({
      description: "`<key id>.<secret>`, shown this once: the secret mints tokens too.",
    }),
  })
  .meta({ id: "CreatedApiKey" });
export type CreatedKey = z.infer<typeof createdKey>;

export const createdAccount = account
  .extend({ key: createdKey })
  .meta({ id: "CreatedAccount" });

export const keyList = z.object({ keys: z.array(key) }).meta({ id: "ApiKeyList" });

export const grantEntitlement = z
  .object({
    tier,
    days: z.number().int().min(1).max(36_500).optional().meta({
      description: "How long it lasts; until it is ended unless given.",
    }),
  })
  .meta({ id: "GrantEntitlement" });

export const resealed = z
  .object({ resealed: z.number().int(), unchanged: z.number().int() })
  .meta({ id: "Resealed" });

/** What an account is told that is about no room. */
export const accountNotice = z.object({
  type: z.literal("entitlement.expiring"),
  accountId: z.string(),
  entitlementId: z.string(),
  tier,
  endsAt: z.iso.datetime(),
});
export type AccountNotice = z.infer<typeof accountNotice>;
