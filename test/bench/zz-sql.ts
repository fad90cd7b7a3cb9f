import { HranaConnection } from "#control/local/hrana-connection.ts";

const times = new Map<string, [number, number]>();
const original = HranaConnection.prototype.execute;
HranaConnection.prototype.execute = function (sql, stmt) {
  const t = performance.now();
  try {
    return original.call(this, sql, stmt);
  } finally {
    const k =
      sql.replace(/\s+/g, " ").slice(0, 70) +
      (sql.includes("viewers <>")
        ? "SLOT"
        : sql.includes("points_used <>")
          ? "WORKER"
          : "");
    const e = times.get(k) ?? [0, 0];
    e[0] += performance.now() - t;
    e[1]++;
    times.set(k, e);
  }
};
await import("./zz-quick.ts");
for (const [k, [t, n]] of [...times].sort((a, b) => b[1][0] - a[1][0]).slice(0, 22))
  console.log(t.toFixed(0), "ms", n, ((1000 * t) / n).toFixed(0), "us", k);
