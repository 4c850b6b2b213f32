/** The labels of one series, in the order in which they are shown. */
export type Labels = Readonly<Record<string, string>>;

/** One figure with its labels; `suffix` goes behind the name of the metric. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly suffix?: string;
}

/** One metric in the text format of Prometheus (version 0.0.4). */
export function metricText(
  { name, help, type }: { name: string; help: string; type: 'counter' | 'histogram' },
  samples: Iterable<Sample>,
): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  for (const { labels, value, suffix = '' } of samples)
    lines.push(`${name}${suffix}{${labelsText(labels)}} ${value}`);
  return `${lines.join('\n')}\n`;
}

function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escaped)}"`)
    .join(',');
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`;
}
