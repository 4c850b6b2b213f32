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
function nameSchemas(): void {
  for (const [id, schema] of Object.entries(named))
    z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), id });
}

/** A JSON schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

/** Schemas that stand once in the document and are referred to by name. */
export interface Components {
  readonly schemas: Record<string, Schema>;
  /** The JSON schema of what is sent (`input`: before defaults) or answered (`output`). */
  schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema;
}

const safest = Number.MAX_SAFE_INTEGER;

/** Begins with no schema; those with a name (`names.ts`) and those that contain themselves become components. */
export function createComponents(): Components {
  nameSchemas();
  const schemas: Record<string, Schema> = {};
  const hoist = (wanted: string, schema: Schema): string => {
    const text = JSON.stringify(schema);
    for (let turn = 1; ; turn++) {
      const name = turn === 1 ? wanted : `${wanted}${turn}`;
      const known = schemas[name];
      if (known !== undefined && JSON.stringify(known) !== text) continue;
      schemas[name] = schema;
      return name;
    }
  };
  return {
    schemas,
    schemaOf(schema, io) {
      const {
        $schema: _,
        $defs = {},
        ...made
      } = z.toJSONSchema(schema, {
        io,
        // What JSON cannot say (streams, nothing at all) is left open; media types say more.
        unrepresentable: 'any',
        override: ({ jsonSchema }) => dropLimitsOfNumbers(jsonSchema),
      });
      const names = new Map(Object.keys($defs).map((name) => [name, nameOf(name)]));
      const renamed = (part: unknown): Schema => refer(part, names) as Schema;
      for (const [name, part] of Object.entries($defs)) {
        const wanted = names.get(name) ?? name;
        const { id: __, ...body } = renamed(part);
        const given = hoist(wanted, body);
        if (given !== wanted) names.set(name, given);
      }
      const { id, ...whole } = renamed(made);
      if (typeof id !== 'string') return whole;
      return { $ref: `#/components/schemas/${hoist(id, whole)}` };
    },
  };
}

/** `z.json()` is the only schema that contains itself and has no name of its own. */
function nameOf(definition: string): string {
  return definition.startsWith('__schema') ? 'Json' : definition;
}

/** The limits of JavaScript's whole numbers, which zod writes down, tell a reader nothing. */
function dropLimitsOfNumbers(schema: { maximum?: unknown; minimum?: unknown }): void {
  if (schema.maximum === safest) delete schema.maximum;
  if (schema.minimum === -safest) delete schema.minimum;
}

function refer(part: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(part)) return part.map((item) => refer(item, names));
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => {
      const definition =
        key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '') : undefined;
      if (definition === undefined) return [key, refer(value, names)];
      return [key, `#/components/schemas/${names.get(definition) ?? definition}`];
    }),
  );
}
