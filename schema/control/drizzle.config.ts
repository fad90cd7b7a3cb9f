import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "turso",
  schema: [
    "./schema/control/fleet.ts",
    "./schema/control/rooms.ts",
    "./schema/control/journal.ts",
    "./schema/control/webhooks.ts",
  ],
  out: "./schema/control/migrations",
});
