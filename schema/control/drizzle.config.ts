import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "turso",
  schema: [
    "./schema/control/fleet.ts",
    "./schema/control/rooms.ts",
    "./schema/control/views.ts",
    "./schema/control/journal.ts",
    "./schema/control/webhooks.ts",
    "./schema/control/accounts.ts",
  ],
  out: "./schema/control/migrations",
});
