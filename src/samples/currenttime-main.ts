import { parseArgs } from 'node:util';
import { startCurrentTime } from './currenttime.ts';

// `node dist/currenttime.js --port 8000`: the sample as a process of its own.
const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const sample = await startCurrentTime({ port: Number(values.port) });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sample.close());
console.log(sample.url);
