import { z } from 'zod';
import { agent, agentInfo } from '../../../contract/agents/agents.ts';
import { auditEvent, auditEventInFull, auditSummary } from '../../../contract/audit.ts';
import { diagnosis, finding } from '../../../contract/diagnosis/doctor.ts';
import { session } from '../../../contract/people/sessions.ts';
import { me } from '../../../contract/people/sign-in.ts';
import { personalToken } from '../../../contract/people/tokens.ts';
import { problem } from '../../../contract/problem.ts';
import { scope, scopeDefinition } from '../../../contract/scopes.ts';
import { server, tool } from '../../../contract/servers/servers.ts';

/** Schemas that have a name in the OpenAPI document; every other one is written out where it is used. */
const named: Readonly<Record<string, z.ZodType>> = {
  Problem: problem,
  Me: me,
  Session: session,
  PersonalToken: personalToken,
  Server: server,
  Tool: tool,
  AgentInfo: agentInfo,
  Agent: agent,
  Scope: scope,
  ScopeDefinition: scopeDefinition,
  Finding: finding,
  Diagnosis: diagnosis,
  AuditEvent: auditEvent,
  AuditEventInFull: auditEventInFull,
  AuditSummary: auditSummary,
};

/** Gives the named schemas their ids, which zod then refers to. */
export function nameSchemas(): void {
  for (const [id, schema] of Object.entries(named))
    z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), id });
}
