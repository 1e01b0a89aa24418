// The servers of RADIUS: the keys of `radius` that say how they are reached and what requests contain.

import * as z from 'zod'
import type { Resolved } from '../../config/references.ts'
import { durationSchema, fileSchema, secretSchema } from '../../config/values.ts'
import { tlsClientSchema } from '../tls-client-schema.ts'
import { LONGEST_VALUE } from './packet.ts'

const LARGEST_PORT = 65_535

// A DNS name or an address, with or without a port.
const SERVER = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/

const server = z
  .strictObject({
    host: z
      .string()
      .regex(SERVER, 'must be HOST or HOST:PORT, an IPv6 address in brackets')
      .refine((text) => (addressOf(text).port ?? 0) <= LARGEST_PORT, 'the port must be 0 to 65535')
      .describe('HOST or HOST:PORT; the port is 1812, or 2083 with TLS.'),
    secret: secretSchema.optional().describe('The shared secret; default with TLS: `radsec`.'),
    tls: z
      .strictObject({
        ca: fileSchema.describe('PEM file: the CAs of the server’s certificate.'),
        serverName: z.string().min(1).optional().describe('Its name. Default: the host.'),
        client: tlsClientSchema.optional(),
      })
      .optional()
      .describe('RADIUS over TLS (RFC 6614) in place of UDP.'),
  })
  .refine(
    ({ secret, tls }) => secret !== undefined || tls !== undefined,
    'needs a "secret", or "tls"',
  )
  .transform(({ host, secret, tls }) => ({ ...addressOf(host), secret, tls }))

function addressOf(text: string): { readonly host: string; readonly port: number | undefined } {
  const [, host = '', port] = SERVER.exec(text) ?? []
  return {
    host: host.replaceAll(/^\[|\]$/g, ''),
    port: port === undefined ? undefined : Number(port),
  }
}

/** How the servers are reached, and what requests contain. */
export const radiusKeys = {
  servers: z.array(server).min(1).describe('Called in this order until one answers.'),
  timeout: durationSchema
    .prefault('4s')
    .describe(
      'For one verification with all retransmissions. Longer than a check may take (`envoy.authzTimeout`), it hides the reason of a failure. A server that sends a push notification needs as long as the user: the login page waits for it, and so does the generated Envoy; HTTP Basic gives up after 10 s.',
    ),
  messageAuthenticator: z
    .enum(['require', 'prefer'])
    .default('require')
    .describe(
      'Whether a reply over UDP must contain `Message-Authenticator`. With `prefer`, a reply without it is accepted, and a wrong one is refused: an attacker between Countersign and the server can then turn a reject into an accept (CVE-2024-3596). Only for servers that cannot send it, on a network that you trust; over TLS it is never needed.',
    ),
  retries: z.int().min(0).default(2).describe('Retransmissions to one server.'),
  nasIdentifier: z
    .string()
    .min(1)
    .refine(
      (text) => Buffer.byteLength(text) <= LONGEST_VALUE,
      `must have at most ${LONGEST_VALUE} bytes (RFC 2865 §5)`,
    )
    .default('countersign')
    .describe('`NAS-Identifier` of Countersign.'),
  callingStationId: z
    .boolean()
    .default(true)
    .describe('Sends the caller’s address as `Calling-Station-Id` (RFC 2865 §5.31).'),
  statusServer: z
    .boolean()
    .default(false)
    .describe('Whether the servers answer Status-Server (RFC 5997).'),
} as const

/** The parsed keys, with the contents of files and secrets. Times are milliseconds. */
export type RadiusClientSettings = Resolved<z.output<z.ZodObject<typeof radiusKeys>>>

/** One server. */
export type RadiusServerSettings = RadiusClientSettings['servers'][number]
