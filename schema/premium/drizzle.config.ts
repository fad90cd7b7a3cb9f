import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "turso",
  schema: ["./schema/premium/payments.ts"],
  out: "./schema/premium/migrations",
});
