import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';

/** The events of one session, so that a client can take up a stream that was closed. */
export class EventLog implements EventStore {
  readonly #events: { readonly stream: string; readonly message: JSONRPCMessage }[] = [];

  async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    return `${this.#events.push({ stream, message }) - 1}`;
  }

  async getStreamIdForEventId(id: string): Promise<string | undefined> {
    return this.#events[Number(id)]?.stream;
  }

  async replayEventsAfter(
    last: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const stream = this.#events[Number(last)]?.stream ?? '';
    // What opens a stream is stored, too, but is no message.
    for (const [at, event] of this.#events.entries())
      if (at > Number(last) && event.stream === stream && Object.keys(event.message).length > 0)
        await send(`${at}`, event.message);
    return stream;
  }
}
