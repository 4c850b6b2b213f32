import { hostname } from 'node:os';
import type { Destination, MessagesOut } from '../../net/messages-out.ts';
import type { AuditEvent, Sink } from '../event.ts';
import { membersOf } from './rows.ts';

/** What the syslog sink works with. */
export interface SyslogWorld {
  readonly protocol: Destination['protocol'];
  readonly out: MessagesOut;
}

/** Facility 13, `log audit` (RFC 5424, table 1). */
const facility = 13;
/** Severities (table 2): informational, warning, error. */
const severities = { allow: 6, deny: 4, error: 3 } as const;

/**
 * Sends every event as a message of RFC 5424, its members as JSON in the message part. Over TCP and TLS each has its length in
 * front (RFC 6587, section 3.4.1; RFC 5425, section 4.3), over UDP a datagram of its own (RFC 5426). Syslog confirms nothing:
 * what was given to a connection that then broke may be lost, and what is sent again may come twice.
 */
export function syslogSink({ protocol, out }: SyslogWorld): Sink {
  const about = `${printable(hostname(), 255)} mcp-gateway ${process.pid}`;
  return {
    name: 'syslog',
    write: (events) =>
      out.send(
        events.map((event) => {
          const message = Buffer.from(messageOf(event, about));
          return protocol === 'udp' ? message : Buffer.concat([Buffer.from(`${message.length} `), message]);
        }),
      ),
    async close() {
      out.close();
    },
  };
}

function messageOf(event: AuditEvent, about: string): string {
  const priority = facility * 8 + severities[event.decision];
  return `<${priority}>1 ${event.at} ${about} ${event.kind} - ${JSON.stringify(membersOf(event))}`;
}

/** A name as the header takes it: printable ASCII, or nothing known. */
function printable(text: string, atMost: number): string {
  return text.replace(/[^\x21-\x7e]/g, '').slice(0, atMost) || '-';
}
