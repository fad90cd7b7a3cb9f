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
  dbCredentials: {
    url: process.env.CONTROL_DB_URL ?? "http://127.0.0.1:8080",
    authToken: process.env.CONTROL_DB_TOKEN,
  },
});
