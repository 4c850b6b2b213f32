import { integer, setting } from './setting.ts';

/** The settings of the search: a part of `settings`. */
export const searchSettings = {
  SEARCH_REQUESTS_PER_MINUTE: setting({
    group: 'Search',
    about:
      'How many searches one person or agent may make in a minute; more get 429. 0: as many as they like.',
    default: '6000',
    parse: integer(0, 1_000_000),
  }),
} as const;
