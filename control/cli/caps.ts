import type { Command } from "commander";
import type { Account } from "#schema/api/accounts.ts";
import type { CapName } from "#schema/caps.ts";
import { capOrDefault, type Run } from "./run.ts";

const titles: Record<CapName, string> = {
  rooms: "open rooms",
  reservedPoints: "reserved points",
  sessions: "sessions",
  egressKbps: "egress (kbit/s)",
};

/** `weir accounts caps`. */
export function addCaps(accounts: Command, run: Run): void {
  const cap = "a whole number, 0 for none at all, or default for the deployment's";
  accounts
    .command("caps")
    .description("show what an account may hold at once, or change it; closes nothing")
    .argument("<account>", "its id")
    .option("--rooms <max>", `open rooms: ${cap}`, capOrDefault)
    .option("--reserved-points <max>", "points that its rooms reserve", capOrDefault)
    .option("--sessions <max>", "sessions in all of its rooms", capOrDefault)
    .option("--egress-kbps <max>", "nominal kbit/s of all its views", capOrDefault)
    .action(
      run(async ({ api, output }, [id = ""], given) => {
        const caps = Object.fromEntries(
          Object.entries(given).map(([name, max]) => [
            name,
            max === "default" ? null : max,
          ]),
        );
        const path = `/v1/accounts/${id}`;
        const account = await (Object.keys(caps).length > 0
          ? api.call<Account>("operator", "PATCH", path, { caps })
          : api.call<Account>("operator", "GET", path));
        output.fields(account.caps, capFields(account));
      }),
    );
}

/** `weir accounts origins`. */
export function addOrigins(accounts: Command, run: Run): void {
  accounts
    .command("origins")
    .description("show whose pages may call for an account, or say it anew")
    .argument("<account>", "its id")
    .argument("[origins...]", "all of them, as https://host or https://host:port")
    .option("--none", "its pages may call no longer")
    .action(
      run(async ({ api, output }, [id = "", ...given], { none }) => {
        const path = `/v1/accounts/${id}`;
        const body = { allowedOrigins: given };
        const account = await (given.length > 0 || none
          ? api.call<Account>("operator", "PATCH", path, body)
          : api.call<Account>("operator", "GET", path));
        const origins = account.allowedOrigins.map((origin) => ({ origin }));
        output.rows(account.allowedOrigins, origins, { ORIGIN: ({ origin }) => origin });
      }),
    );
}

/** An account's caps for people: what is used, of how much. */
export function capFields({ caps }: Account): Record<string, string> {
  const lines = Object.entries(titles).map(([name, title]) => {
    const { max, own, used } = caps[name as CapName];
    const whose = own ? "its own cap" : "the deployment's cap";
    const most = max === null ? "no cap" : `of ${max} (${whose})`;
    return [title, `${used ?? "?"} used, ${most}`];
  });
  return Object.fromEntries(lines);
}
