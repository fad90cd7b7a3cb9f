import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "turso",
  schema: [
    "./schema/accounts/accounts.ts",
    "./schema/accounts/entitlements.ts",
    "./schema/accounts/origins.ts",
  ],
  out: "./schema/accounts/migrations",
});
