import { list, setting, text } from './setting.ts';

/** The settings of credentials that people have at servers: a part of `settings`. */
export const egressSettings = {
  EGRESS_ALLOWED_AUDIENCES: setting({
    group: 'Per-person credentials',
    about:
      'For which audiences tokens of people may be asked for (`target_audience` of servers), separated by commas; `*` at the end ' +
      'stands for anything, as in api://*. Checked when a server is set up and at each use. Empty: any.',
    default: '',
    parse: list(text),
  }),
  EGRESS_ALLOWED_SCOPES: setting({
    group: 'Per-person credentials',
    about:
      'Which scopes tokens of people may be asked for, separated by commas, with `*` at the end as above. Empty: any.',
    default: '',
    parse: list(text),
  }),
} as const;
