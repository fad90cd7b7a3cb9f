import type { Curve } from "./memory.ts";
import type { SoakReport } from "./run.ts";

const width = 760;
const height = 300;
const left = 56;
const bottom = 30;

/** A page with every process's memory over time, self-contained. */
export function pageOf(report: SoakReport): string {
  const groups = Map.groupBy(report.curves, ({ name }) => name.replace(/ .*$/, ""));
  const plots = [...groups].map(([title, curves]) => plotOf(title, curves)).join("\n");
  const rows = report.verdicts
    .map((one) => {
      const most = one.megabytesPerHourMax ?? "not judged";
      const cells = [one.middle, one.end, one.megabytesPerHour, most];
      const tail = cells.map((cell) => `<td>${cell}</td>`).join("");
      return `<tr${one.grows ? ' class="missed"' : ""}><td>${one.name}</td>${tail}</tr>`;
    })
    .join("\n");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Weir's memory over ${report.minutes} minutes</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { border-bottom: 1px solid #8884; padding: 0.2rem 0.8rem; text-align: right; }
  th:first-child, td:first-child { text-align: left; }
  .missed { color: #b3261e; }
  svg { display: block; margin: 1rem 0; max-width: 100%; }
  @media (prefers-color-scheme: dark) { body { background: #16181c; color: #e6e6e6; } }
</style>
<h1>Memory over ${report.minutes} minutes</h1>
<p>${report.joins} joins, ${report.views} views; leaks: ${report.leaks}. The line through
the second half of each curve is judged; but for the local runtime's, which keeps
some memory of each request to whatever worker. Control is judged by its heap.</p>
<table><thead><tr><th>process</th><th>middle, MB</th><th>end, MB</th><th>rise, MB/h</th><th>at most</th></tr></thead><tbody>
${rows}
</tbody></table>
${plots}
</html>
`;
}

function plotOf(title: string, curves: readonly Curve[]): string {
  const points = curves.flatMap((curve) => curve.points);
  const minutes = Math.max(...points.map(({ minute }) => minute), 1);
  const most = Math.max(...points.map(({ megabytes }) => megabytes), 1) * 1.1;
  const x = (minute: number) => left + ((width - left - 10) * minute) / minutes;
  const y = (megabytes: number) => height - bottom - ((height - 60) * megabytes) / most;
  const lines = curves.map(({ name, points: own }, at) => {
    const path = own
      .map(
        ({ minute, megabytes }) => `${x(minute).toFixed(1)},${y(megabytes).toFixed(1)}`,
      )
      .join(" ");
    const hue = Math.round((360 * at) / curves.length);
    return `<polyline points="${path}" fill="none" stroke="hsl(${hue} 65% 50%)" stroke-width="1.5"><title>${name}</title></polyline>`;
  });
  const marks = [0, 0.5, 1].map((share) => {
    const megabytes = most * share;
    return `<text x="${left - 6}" y="${(y(megabytes) + 4).toFixed(1)}" text-anchor="end">${Math.round(megabytes)} MB</text>`;
  });
  const middle = x(minutes / 2).toFixed(1);
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}" font-size="12" fill="currentColor">
<text x="0" y="16" font-weight="bold">${title}</text>
<line x1="${middle}" x2="${middle}" y1="30" y2="${height - bottom}" stroke="#8886" stroke-dasharray="4"/>
${marks.join("\n")}
<text x="${left}" y="${height - 8}">0</text>
<text x="${width - 10}" y="${height - 8}" text-anchor="end">${Math.round(minutes)} min</text>
${lines.join("\n")}
</svg>`;
}
