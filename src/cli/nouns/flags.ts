import type { Command } from 'commander';
import { Trouble } from '../trouble.ts';

/** Fields of the API that the command line has another word for. */
const otherWords: Readonly<Record<string, readonly string[]>> = {
  group_name: ['name'],
  scope_name: ['name'],
  server_name: ['server', 'name'],
  group_names: ['groups'],
  client_name: ['name', 'client-name'],
  max_results: ['max-results', 'limit'],
  q: ['query'],
  create_in_idp: ['idp'],
  delete_from_idp: ['idp'],
  first_name: ['first-name'],
  last_name: ['last-name'],
  must_change_password: ['keep-password'],
};

const place = /^(?:body|query|params|header)\.([\w.-]+)(: .*)$/s;

const places = /\b(?:body|query|params|header)\.([\w.-]+)/g;

/** A trouble whose faults name the options that were given, where the API names its fields. */
export function inFlags(trouble: Trouble, command: Command): Trouble {
  const { faults } = trouble.about;
  if (!faults?.some((fault) => place.test(fault))) return trouble;
  const message = trouble.message.replace(places, (whole, field: string) => flagOf(field, command) ?? whole);
  return new Trouble(message, {
    ...trouble.about,
    faults: faults.map((fault) => {
      const [, field = '', rest = ''] = place.exec(fault) ?? [];
      return field === '' ? fault : `${flagOf(field, command) ?? field}${rest}`;
    }),
  });
}

function flagOf(field: string, command: Command): string | undefined {
  const [first = ''] = field.split('.');
  const words = [first.replaceAll('_', '-'), ...(otherWords[first] ?? [])];
  return words.map((word) => `--${word}`).find((long) => command.options.some((one) => one.long === long));
}
