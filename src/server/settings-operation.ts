import { integer, setting, text } from './setting.ts';

/** The settings of what watches over servers and gateway: a part of `settings`. */
export const operationSettings = {
  HEALTH_CHECK_INTERVAL_SECONDS: setting({
    group: 'Operation',
    about:
      'How often each enabled server is checked, in seconds; failing ones sooner at first. 0: only when asked to.',
    default: '300',
    parse: integer(0, 86400),
  }),
  HEALTH_SLOW_MS: setting({
    group: 'Operation',
    about: 'From how many milliseconds on a check that went well calls the server slow.',
    default: '5000',
    parse: integer(1, 60000),
  }),
  METRICS_PORT: setting({
    group: 'Operation',
    about:
      'A port of its own for `GET /metrics` (Prometheus), without sign-in. 0: none; `/api/metrics` is there in any case, ' +
      'for administrators.',
    default: '0',
    parse: integer(0, 65535),
  }),
  METRICS_HOST: setting({
    group: 'Operation',
    about: 'The address that METRICS_PORT listens on; let only the monitoring reach it.',
    default: '127.0.0.1',
    parse: text,
  }),
} as const;
