// The password verifiers of an authenticator: a users file, an LDAP directory, RADIUS servers.

import { z } from 'zod'
import { guardSchema } from './guard-schema.ts'
import {
  durationSchema,
  isLoopback,
  pathSchema,
  realmSchema,
  secretSchema,
} from '../../config/values.ts'

/** A DNS name or an address, with or without a port. */
const server = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/,
    'must be HOST or HOST:PORT, an IPv6 address in brackets',
  )

const count = (fallback: number) => z.int().min(1).default(fallback)

const client = z
  .strictObject({
    certificate: pathSchema.describe('PEM file: the certificate with its chain.'),
    key: secretSchema.describe('Its private key, PEM.'),
  })
  .describe('The client certificate for the servers.')

const entrySearch = z
  .strictObject({
    base: z.string().min(1).describe('The DN under which to search.'),
    scope: z.enum(['one', 'sub']).default('sub').describe('Right under it, or at any depth.'),
    filter: z
      .string()
      .default('(uid={user})')
      .describe(
        'RFC 4515, with `{user}` for the user as typed, which is escaped. For AD: `(&(objectCategory=person)(sAMAccountName={user}))`.',
      ),
  })
  .describe('Finds the user’s entry, exactly one.')

const nested = z
  .int()
  .min(0)
  .max(32)
  .default(0)
  .describe('How many levels of groups in groups are followed.')

const ldapGroups = z
  .strictObject({
    attribute: z
      .strictObject({
        name: z.string().min(1).default('memberOf').describe('An attribute with the groups’ DNs.'),
        nested,
      })
      .optional()
      .describe('Groups are an attribute of the user’s entry.'),
    search: z
      .strictObject({
        base: z.string().min(1).describe('The DN under which groups are.'),
        scope: z.enum(['one', 'sub']).default('sub').describe('Right under it, or at any depth.'),
        filter: z
          .string()
          .default('(&(objectClass=groupOfNames)(member={dn}))')
          .describe('RFC 4515, with `{dn}` and `{user}`.'),
        nested,
      })
      .optional()
      .describe('Groups are entries that name the user, found by a search.'),
    activeDirectory: z
      .strictObject({
        base: z.string().min(1).describe('The DN under which groups are.'),
        filter: z.string().default('(objectClass=group)').describe('The filter (RFC 4515).'),
      })
      .optional()
      .describe('AD resolves nested groups itself, in one search.'),
    name: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The attribute with the group’s name. Default: the value of the first RDN of its DN.',
      ),
    subtree: z.string().min(1).optional().describe('Only groups below this DN are used.'),
    primaryGroupBase: z
      .string()
      .min(1)
      .optional()
      .describe('AD: includes the primary group, searched under this DN.'),
    limit: count(500).describe(
      'A user with more groups is refused: a list cut short could hide a denial.',
    ),
  })
  .refine(
    ({ attribute, search, activeDirectory }) =>
      [attribute, search, activeDirectory].filter((way) => way !== undefined).length === 1,
    'must have exactly one of "attribute", "search" and "activeDirectory"',
  )
  .describe('How groups are found and named. Absent: users have no groups.')

const ldap = z
  .strictObject({
    servers: z
      .array(z.string().regex(/^ldaps?:\/\/[^/?#]+$/, 'must be ldap://HOST or ldaps://HOST'))
      .min(1)
      .describe('In order of preference: the first one that works is used.'),
    startTls: z
      .boolean()
      .default(true)
      .describe('Upgrades `ldap://` connections by StartTLS, and sends nothing where that fails.'),
    ca: pathSchema
      .optional()
      .describe('PEM file: the CAs of the servers’ certificates. Default: Node’s own.'),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe('The name in the servers’ certificates. Default: the host of each URL.'),
    client: client.optional(),
    bind: z
      .strictObject({
        dn: z.string().min(1).describe('The service account: a DN, or for AD `svc@corp.example`.'),
        password: secretSchema.describe('Its password.'),
      })
      .optional()
      .describe(
        'The service account for the search; the user’s password is then verified by a bind as the entry found.',
      ),
    direct: z
      .array(z.string().includes('{user}', { message: 'must hold {user}' }))
      .min(1)
      .optional()
      .describe(
        'In place of `bind`: names to bind with the user’s password directly, such as `uid={user},ou=people,dc=example` or `{user}@corp.example`.',
      ),
    search: entrySearch.optional(),
    attributes: z
      .strictObject({
        user: z.string().min(1).default('uid').describe('The user’s name; AD: `sAMAccountName`.'),
        uid: z
          .string()
          .min(1)
          .optional()
          .describe('A stable identifier: `entryUUID`; AD: `objectGUID`, `objectSid`.'),
        extra: z
          .record(z.string().min(1), z.string().min(1))
          .default({})
          .describe('Key of the identity’s `extra` → attribute.'),
      })
      .prefault({})
      .describe('Which attributes of the entry become the identity.'),
    groups: ldapGroups.optional(),
    connectTimeout: durationSchema.prefault('2s').describe('For a connection with its handshake.'),
    operationTimeout: durationSchema.prefault('3s').describe('For each bind and search.'),
    concurrency: count(8).describe('Verifications at a time.'),
    maxPending: count(128).describe('Verifications that wait; further ones get 503.'),
    coolDown: durationSchema.prefault('5s').describe('How long a failed server is not contacted.'),
    idleTimeout: durationSchema.prefault('60s').describe('How long an unused connection is kept.'),
  })
  .refine(
    ({ servers, startTls }) => startTls || servers.every(isEncryptedOrLocal),
    'needs "startTls": a password for another machine would cross the network in the clear',
  )
  .refine(
    ({ bind, direct }) => (bind === undefined) !== (direct === undefined),
    'must have exactly one of "bind" (a service account) and "direct" (names to bind)',
  )
  .refine(
    ({ bind, search }) => bind === undefined || search !== undefined,
    'needs a "search", which "bind" is for',
  )
  .describe('An LDAP directory or Active Directory.')

function isEncryptedOrLocal(url: string): boolean {
  if (url.startsWith('ldaps:')) return true
  const { hostname, port } = new URL(url)
  return isLoopback({ kind: 'tcp', host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
}

const attributeSource = z
  .strictObject({
    attribute: z
      .union([
        z.enum(['Class', 'Filter-Id', 'User-Name', 'Reply-Message']),
        z.int().min(1).max(255),
        z.strictObject({
          vendor: z.int().min(1).describe('Enterprise number, such as 9 for Cisco.'),
          type: z.int().min(1).max(255).describe('The vendor’s own number of the attribute.'),
        }),
      ])
      .describe('An attribute by name or number, or a vendor’s.'),
    pattern: z
      .string()
      .transform((source, context) => {
        try {
          return new RegExp(source, 'gu')
        } catch {
          context.addIssue({ code: 'custom', message: 'must be a regular expression' })
          return z.NEVER
        }
      })
      .optional()
      .describe(
        'The values to use, as a regular expression; the group name is its first capture group, or the whole match.',
      ),
    prefix: z.string().optional().describe('Put in front of each value.'),
  })
  .describe('Where values come from.')

const radius = z
  .strictObject({
    servers: z
      .array(
        z.strictObject({
          host: server.describe('HOST or HOST:PORT; the port is 1812, or 2083 with TLS.'),
          secret: secretSchema
            .optional()
            .describe('The shared secret; with TLS `radsec` unless said otherwise.'),
          tls: z
            .strictObject({
              ca: pathSchema.describe('PEM file: the CAs of the server’s certificate.'),
              serverName: z.string().min(1).optional().describe('Its name. Default: the host.'),
              client: client.optional(),
            })
            .optional()
            .describe('RADIUS over TLS (RFC 6614) in place of UDP.'),
        }),
      )
      .min(1)
      .describe('Called in this order until one answers.'),
    timeout: durationSchema
      .prefault('5s')
      .describe(
        'For one verification with all retransmissions. A server that sends a push notification needs as long as the user: the login page waits for it, and so does the generated Envoy; HTTP Basic gives up after 10 s.',
      ),
    retries: z.int().min(0).default(2).describe('Retransmissions to one server.'),
    nasIdentifier: z
      .string()
      .min(1)
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
    user: z
      .enum(['as-typed', 'lower-case', 'from-reply'])
      .default('as-typed')
      .describe('The user’s name: as typed, in lower case, or `User-Name` of the reply.'),
    groups: z.array(attributeSource).default([]).describe('Reply attributes that are groups.'),
    onReject: z
      .enum(['wrong-password', 'unknown-user'])
      .default('wrong-password')
      .describe(
        'How an Access-Reject is interpreted; with `unknown-user` the next verifier is called.',
      ),
  })
  .refine(
    ({ servers }) => servers.every(({ secret, tls }) => secret !== undefined || tls !== undefined),
    'every server needs a "secret", or "tls"',
  )
  .describe('RADIUS servers.')

/** One entry of `basic.verify`. */
const verifier = z
  .strictObject({
    users: z
      .strictObject({
        file: pathSchema.describe(
          'A users file: YAML with groups, uid and extra fields, or htpasswd (any name that does not end in .yaml, .yml or .json). bcrypt and argon2id hashes only.',
        ),
      })
      .optional()
      .describe('A local users file.'),
    ldap: ldap.optional(),
    radius: radius.optional(),
  })
  .refine(
    (entry) => Object.values(entry).filter((way) => way !== undefined).length === 1,
    'must have exactly one of "users", "ldap" and "radius"',
  )
  .describe('One password verifier.')

/** The `basic` section. */
export const basicSchema = z
  .strictObject({
    realm: realmSchema,
    verify: z
      .array(verifier)
      .min(1)
      .describe(
        'Password verifiers, called in order: the next one where a verifier does not know the user.',
      ),
    cacheTtl: durationSchema
      .prefault('60s')
      .describe(
        'How long a verified password is cached (as a keyed hash, in memory), so that the next request does not compute the password hash again. `0s`: no caching.',
      ),
    bruteForceProtection: guardSchema,
  })
  .describe('HTTP Basic authentication (RFC 7617).')

/** The parsed `basic`. */
export type BasicConfig = z.output<typeof basicSchema>
/** The parsed `ldap` of a verifier. */
export type LdapConfig = z.output<typeof ldap>
/** The parsed `radius` of a verifier. */
export type RadiusConfig = z.output<typeof radius>
/** One parsed entry of `basic.verify`. */
export type VerifierConfig = z.output<typeof verifier>
