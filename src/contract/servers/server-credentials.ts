import { z } from 'zod';

/** How the gateway proves itself to a server: not at all, with a bearer token, or with a key in a header. */
export const authSchemes = ['none', 'bearer', 'api_key'] as const;

/** One of the ways by which the gateway proves itself to a server. */
export type AuthScheme = (typeof authSchemes)[number];

/** Of one connection, of the body, or of the protocol: the gateway writes these itself. */
const notForCredentials = new Set([
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'host', 'expect'],
  ...['content-length', 'content-type', 'content-encoding', 'accept', 'accept-encoding', 'origin'],
  ...['last-event-id', 'traceparent', 'tracestate', 'x-correlation-id', 'x-authorization'],
]);

// RFC 9110 section 5.1: a token.
const headerName = z
  .string()
  .max(256)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'is not the name of a header' })
  .refine((name) => !notForCredentials.has(name.toLowerCase()) && !/^(?:mcp|proxy)-/i.test(name), {
    error: 'is a header that the gateway writes itself; choose another',
  });

// RFC 9110 section 5.5, without bytes beyond ASCII: a line break would begin another header.
const headerValue = z
  .string()
  .max(4096)
  .regex(/^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/, {
    error: 'must be visible ASCII characters on one line, without spaces around them',
  });

/** A header that goes with every request to a server. */
const customHeader = z.strictObject({ name: headerName, value: headerValue });

/** A change of what the gateway proves itself to a server with; what is left out stays as it is where the scheme stays. */
export const credentialInput = z
  .strictObject({
    auth_scheme: z.enum(authSchemes),
    /** The token or key itself; may be left out when one of the same scheme is stored. */
    auth_credential: headerValue
      .refine((value) => !/^bearer /i.test(value), {
        error: "give the token alone, without the word 'Bearer'",
      })
      .optional(),
    /** Where it goes; `Authorization` for bearer and `X-API-Key` for api_key unless given. */
    auth_header_name: headerName.optional(),
    /** Further headers; an empty list removes those that are stored. */
    custom_headers: z.array(customHeader).max(20).optional(),
  })
  .refine(({ auth_scheme, auth_credential }) => auth_scheme !== 'none' || auth_credential === undefined, {
    error: "goes with the scheme 'bearer' or 'api_key', not with 'none'",
    path: ['auth_credential'],
  })
  .refine(({ auth_scheme, auth_header_name }) => auth_scheme !== 'none' || auth_header_name === undefined, {
    error: "goes with the scheme 'bearer' or 'api_key', not with 'none'",
    path: ['auth_header_name'],
  });

/** A change of what the gateway proves itself to a server with. */
export type CredentialInput = z.output<typeof credentialInput>;
