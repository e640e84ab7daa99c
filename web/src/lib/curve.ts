import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { PeriodClearing } from "./api/types.ts";
import { fixed, period as periodText } from "./format.ts";

export interface CurveLabels {
  period: string;
  first: string;
  second: string;
  volume: string;
  price: string;
}

/**
 * Draws clearing prices as steps over bars of traded energy. Doubles are good enough for pixels;
 * the table beside it shows the exact numbers.
 */
export function drawCurve(
  target: HTMLElement,
  size: { width: number; height: number },
  clearings: readonly PeriodClearing[],
  periods: number,
  labels: CurveLabels,
): uPlot {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const scaled = (value: number | null | undefined, unit: number) =>
    value == null ? null : value / unit;
  const rows = Array.from({ length: periods }, (_, index) =>
    clearings.find((row) => row.period === index),
  );
  // The last step needs an end: one more point at 24:00 repeats it.
  const steps = (pick: (row: PeriodClearing) => number | null | undefined, unit: number) => {
    const values = rows.map((row) => (row ? scaled(pick(row), unit) : null));
    return [...values, values.at(-1) ?? null];
  };
  const volumes = rows.map((row) =>
    row ? scaled(row.volume_kwh + row.second_volume_kwh, 1_000) : null,
  );
  const data: uPlot.AlignedData = [
    Array.from({ length: periods + 1 }, (_, index) => index),
    [...volumes, null],
    steps((row) => row.price_milli_yuan_per_mwh, 1_000),
    steps((row) => row.buyer_price_milli_yuan_per_mwh, 1_000),
  ];
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const bars = uPlot.paths.bars?.({ size: [0.72, 60], align: 1 });
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: `11px ${colour("--font")}`,
  };
  const shown = (decimals: number) => (_: uPlot, value: number | null) =>
    value == null ? "–" : fixed(BigInt(Math.round(value * 1_000)), 3, decimals);
  const options: uPlot.Options = {
    ...size,
    padding: [10, 4, 0, 0],
    cursor: { points: { size: 7 }, y: false },
    legend: { live: true },
    scales: {
      x: { time: false, range: () => [0, periods] },
      price: { range: (_, lo, hi) => [lo - (hi - lo + 10) * 0.35, hi + (hi - lo + 10) * 0.12] },
      volume: { range: (_, __, hi) => [0, hi * 2.1] },
    },
    axes: [
      {
        ...axis,
        splits: (plot) => {
          const parts = plot.width < 400 ? 4 : 8;
          return Array.from({ length: parts + 1 }, (_, index) => (index * periods) / parts);
        },
        values: (_, splits) => splits.map((x) => `${(24 * x) / periods}:00`),
      },
      {
        ...axis,
        scale: "price",
        size: 46,
        label: labels.price,
        labelSize: 18,
        labelGap: 0,
        labelFont: axis.font,
      },
      {
        ...axis,
        scale: "volume",
        side: 1,
        size: 52,
        grid: { show: false },
        values: (_, splits) => splits.map((value) => value.toLocaleString("en-US")),
      },
    ],
    series: [
      {
        label: labels.period,
        value: (_, x) => (x == null || x >= periods ? "–" : periodText(x, periods)),
      },
      {
        label: labels.volume,
        scale: "volume",
        fill: colour("--bar"),
        stroke: colour("--bar-line"),
        width: 1,
        points: { show: false },
        value: shown(0),
        ...(bars ? { paths: bars } : {}),
      },
      {
        label: labels.first,
        scale: "price",
        stroke: colour("--series-1"),
        width: 2,
        points: { show: false },
        value: shown(2),
        ...(stepped ? { paths: stepped } : {}),
      },
      {
        label: labels.second,
        scale: "price",
        stroke: colour("--series-2"),
        width: 2,
        dash: [6, 3],
        points: { show: false },
        value: shown(2),
        ...(stepped ? { paths: stepped } : {}),
      },
    ],
  };
  return new uPlot(options, data, target);
}
