import type { RunningZone } from "./zone.ts";

/**
 * What there is to look at where a run ends badly: control's complaints, the
 * ledger's rows, and what each host carries. A line each.
 */
export async function evidenceOf(zone: RunningZone): Promise<string[]> {
  const { control, fleet } = zone;
  const lines = [
    ...(await control.remote.complaints()).slice(-40).map((line) => `control: ${line}`),
    ...(await control.remote.rows()).map((line) => `ledger: ${line}`),
  ];
  for (const host of fleet.hosts) {
    const state = await host.state();
    lines.push(`${host.name}: ${JSON.stringify(state)}`);
    const warnings = host.agent?.logs().filter((line) => /"level":(40|50)/.test(line));
    lines.push(...(warnings ?? []).slice(-15).map((line) => `${host.name}: ${line}`));
  }
  return lines;
}
