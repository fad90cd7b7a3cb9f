import type { Bench, BenchReport, Row } from "./report.ts";
import { cellOf, show } from "./table.ts";

/** A page with every benchmark's table and plots, self-contained. */
export function pageOf(runs: readonly { bench: Bench; report: BenchReport }[]): string {
  const { cpu, cores, node } = runs[0]?.report.machine ?? { cpu: "", cores: 0, node: "" };
  const sections = runs.map(({ bench, report }) => sectionOf(bench, report)).join("\n");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Weir's benchmarks</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { border-bottom: 1px solid #8884; padding: 0.2rem 0.8rem; text-align: right; }
  th:first-child, td:first-child { text-align: left; }
  .missed { color: #b3261e; }
  svg { display: block; margin: 1rem 0; max-width: 100%; }
  @media (prefers-color-scheme: dark) { body { background: #16181c; color: #e6e6e6; } }
</style>
<h1>Weir's benchmarks</h1>
<p>${inHtml(`${cpu}, ${cores} cores, Node ${node}`)}</p>
${sections}
</html>
`;
}

function sectionOf(bench: Bench, report: BenchReport): string {
  const head = bench.columns.map((column) => `<th>${inHtml(column.title)}</th>`).join("");
  const body = report.rows
    .map((row) => {
      const cells = bench.columns.map((column) =>
        inHtml(show(cellOf(row, column), column)),
      );
      return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
    })
    .join("\n");
  const plots = (bench.plots ?? [])
    .map((plot) => barsOf(bench, report.rows, plot))
    .join("");
  const missed = bench.misses(report.rows);
  const misses = missed.map((miss) => `<p class="missed">Missed: ${inHtml(miss)}</p>`);
  return `<h2 id="${bench.name}">${bench.name}</h2>
<p>${inHtml(bench.title)} Seed ${report.seed}.</p>
<table><thead><tr>${head}</tr></thead><tbody>
${body}
</tbody></table>
${misses.join("")}${plots}`;
}

/** Horizontal bars, a row each, drawn by hand: nothing to load, nothing to run. */
export function barsOf(
  bench: Bench,
  rows: readonly Row[],
  plot: { title: string; label: readonly string[]; value: string },
): string {
  const column = bench.columns.find(({ key }) => key === plot.value);
  const shown = rows.filter((row) => typeof row[plot.value] === "number");
  const most = Math.max(...shown.map((row) => Number(row[plot.value])), Number.MIN_VALUE);
  const left = 240;
  const width = 420;
  const step = 24;
  const bars = shown.map((row, at) => {
    const value = Number(row[plot.value]);
    const label = plot.label.map((key) => row[key]).join(", ");
    const text = column ? show(value, column) : `${value}`;
    const length = Math.max(1, (width * value) / most);
    const y = 30 + at * step;
    return `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${inHtml(label)}</text>
<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="18" fill="#3b82f6"/>
<text x="${(left + length + 6).toFixed(1)}" y="${y + 13}">${inHtml(text)}</text>`;
  });
  const height = 40 + shown.length * step;
  return `<svg viewBox="0 0 760 ${height}" width="760" height="${height}" role="img" aria-label="${inHtml(plot.title)}" font-size="12" fill="currentColor">
<text x="0" y="16" font-weight="bold">${inHtml(plot.title)}</text>
${bars.join("\n")}
</svg>`;
}

function inHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
