import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { serverKey, serversQuery } from '../api.ts';

/** How long changes are collected before the list is read once, in milliseconds. */
const collectFor = 300;

/** Reads the servers shown anew soon after one of them has changed, as long as the page is shown. */
export function useServerEvents(): void {
  const client = useQueryClient();
  useEffect(() => {
    const source = new EventSource('/api/servers/events');
    let timer: ReturnType<typeof setTimeout> | undefined;
    const collect = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void client.invalidateQueries({ queryKey: serversQuery.queryKey });
        void client.invalidateQueries({ queryKey: [serverKey] });
      }, collectFor);
    };
    for (const name of ['server', 'removed']) source.addEventListener(name, collect);
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [client]);
}
