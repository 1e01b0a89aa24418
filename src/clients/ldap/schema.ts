// The servers of a directory: the keys of `ldap` that say how they are reached.

import * as z from 'zod'
import type { Resolved } from '../../config/references.ts'
import { durationSchema, fileSchema, secretSchema } from '../../config/values.ts'
import { tlsClientSchema } from '../tls-client-schema.ts'
import { readServerUrl } from './server-url.ts'

const SERVER = 'must be "ldap://HOST[:PORT]" or "ldaps://HOST[:PORT]"'

const server = z
  .string()
  .regex(/^ldaps?:\/\/[^/?#]+$/, SERVER)
  .transform((url, context) => {
    const address = readServerUrl(url)
    if (address !== undefined) return address
    context.addIssue({ code: 'custom', message: SERVER })
    return z.NEVER
  })

/** How the servers are reached. */
export const directoryKeys = {
  servers: z
    .array(server)
    .min(1)
    .describe('In order of preference: the first one that works is used.'),
  startTls: z
    .boolean()
    .default(true)
    .describe('Upgrades `ldap://` connections by StartTLS, and sends nothing where that fails.'),
  ca: fileSchema
    .optional()
    .describe('PEM file: the CAs of the servers’ certificates. Default: Node’s own.'),
  serverName: z
    .string()
    .min(1)
    .optional()
    .describe('The name in the servers’ certificates. Default: the host of each URL.'),
  client: tlsClientSchema.optional(),
  bind: z
    .strictObject({
      dn: z
        .string()
        .min(1)
        // RFC 4513 §5.1.1
        .refine((dn) => dn.trim() !== '', 'must not be blank: that would be an anonymous bind')
        .describe('The service account: a DN, or for AD `svc@corp.example`.'),
      password: secretSchema.describe('Its password.'),
    })
    .optional()
    .describe(
      'The service account for the search; the user’s password is then verified by a bind as the entry found.',
    ),
} as const

/** How long the servers may take. */
export const directoryTimes = {
  connectTimeout: durationSchema.prefault('2s').describe('For a connection with its handshake.'),
  operationTimeout: durationSchema.prefault('3s').describe('For each bind and search.'),
} as const

/** How long a server and a connection that are not in use are kept. */
export const directoryPauses = {
  coolDown: durationSchema.prefault('5s').describe('How long a failed server is not contacted.'),
  idleTimeout: durationSchema.prefault('60s').describe('How long an unused connection is kept.'),
} as const

type Keys = typeof directoryKeys & typeof directoryTimes & typeof directoryPauses

/** The parsed keys, with the contents of files and secrets. Times are milliseconds. */
export type DirectorySettings = Resolved<z.output<z.ZodObject<Keys>>>
