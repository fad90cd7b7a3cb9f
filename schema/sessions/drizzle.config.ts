import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "turso",
  schema: ["./schema/sessions/revocations.ts"],
  out: "./schema/sessions/migrations",
});
