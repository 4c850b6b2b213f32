import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import Plot from 'uplot';
import type { Usage } from '../../contract/usage.ts';
import { useTheme } from '../shell/theme.ts';
import { t } from '../words/words.ts';

/** Calls over time as bars, with those denied and failed; the figures under the pointer stand in the legend. */
export function UsageChart({ usage }: { usage: Usage }) {
  const box = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours, which are read when drawing
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    // A canvas knows no variables and no light-dark(): an element says what they come to.
    const color = (name: string): string => {
      element.style.color = `var(--${name})`;
      const found = getComputedStyle(element).color;
      element.style.color = '';
      return found;
    };
    const bars = Plot.paths.bars?.({ size: [0.8, 40] });
    const axis = {
      stroke: color('quiet'),
      grid: { stroke: color('line'), width: 1 },
      ticks: { stroke: color('line'), width: 1 },
      font: '12px system-ui',
    };
    const series = (label: string, name: string) => ({
      ...{ label, stroke: color(name), fill: color(name), width: 0, points: { show: false } },
      ...(bars ? { paths: bars } : {}),
    });
    const plot = new Plot(
      {
        ...{ width: element.clientWidth, height: 220 },
        cursor: { drag: { x: false, y: false } },
        scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
        axes: [
          axis,
          { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10_000, 50_000] },
        ],
        series: [
          { label: t('Time') },
          series(t('Calls'), 'accent'),
          series(t('Denied'), 'warn'),
          series(t('Errors'), 'bad'),
        ],
      },
      [
        usage.timeline.map(({ at }) => Date.parse(at) / 1000),
        usage.timeline.map(({ calls }) => calls),
        usage.timeline.map(({ denied }) => denied),
        usage.timeline.map(({ errors }) => errors),
      ],
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 220 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [usage, theme]);
  return (
    <div
      ref={box}
      role="img"
      aria-label={t('Calls over time; the same figures are in the table below')}
      className="min-w-0 overflow-hidden text-quiet"
    />
  );
}
