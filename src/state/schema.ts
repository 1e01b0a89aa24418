// `state`: where data that requests and processes share is stored.

import * as z from 'zod'
import { positiveDuration } from '../config/durations.ts'
import { pathSchema, secretSchema } from '../config/values.ts'

const MEGABYTE = 1024 * 1024

const KINDS = ['memory', 'sqlite', 'redis'] as const

const SECRET =
  'A keyring: lines of 32 bytes or more in base64url, as `countersign keys grant` makes them. By the first everything that is stored is sealed, and all of them open it; names are stored as keyed hashes. With another keyring nothing can be read, and authz does not start.'

// Redis Cluster specification, "Hash tags".
const HASH_TAG = /\{[^{}]+\}/

const memory = z
  .strictObject({})
  .describe(
    'In memory: each process has its own, which is lost when the process ends. The default.',
  )

const sqliteFile = z
  .strictObject({
    file: pathSchema.describe(
      'The database. It is made where it is missing, for its owner alone, and its folder too. On a disk of this machine: locks do not work over a network.',
    ),
    secret: secretSchema
      .optional()
      .describe(
        `${SECRET} Default: a file next to the database with its name and \`.secret\`, created on first use with mode 0600. A user who can read both files can read everything.`,
      ),
    maxBytes: z
      .int()
      .min(MEGABYTE)
      .default(1024 * MEGABYTE)
      .describe(
        'How large the database may grow. An eighth of it is for what clients cause before they authenticate, half for logins, an eighth for sign-outs; none takes the room of another. Where logins have no room left, new ones are refused until something ends.',
      ),
  })
  .describe('The database, written out in full.')

const sqlite = z
  .union([
    pathSchema.transform((file): z.output<typeof sqliteFile> => ({
      file,
      maxBytes: 1024 * MEGABYTE,
    })),
    sqliteFile,
  ])
  .describe(
    'In a SQLite file: it survives a restart, and several processes of one machine can share it.',
  )

const redis = z
  .strictObject({
    url: secretSchema.describe(
      'A reference to the server’s address, since it may contain a password: `rediss://USER:PASSWORD@HOST:PORT/DATABASE`, or `redis://` without TLS. One server, or a name that resolves to the primary; with `sentinel` or `cluster` several with commas, `HOST:PORT,HOST:PORT`. A password in a file is read again with each connection.',
    ),
    username: z
      .string()
      .min(1)
      .optional()
      .describe('The user, if not in `url`. Default: `default`.'),
    password: secretSchema
      .optional()
      .describe(
        'The password, if not in `url`. A file is read again with each connection, and every five seconds: for passwords and tokens that are replaced while authz runs, such as those of a cloud’s IAM.',
      ),
    sentinel: z
      .strictObject({
        master: z
          .string()
          .min(1)
          .describe('The name by which the sentinels know the primary (`sentinel monitor NAME`).'),
        username: z.string().min(1).optional().describe('The user at the sentinels.'),
        password: secretSchema
          .optional()
          .describe(
            'The password at the sentinels. Default: none; that of the server is not used.',
          ),
      })
      .optional()
      .describe(
        'Redis Sentinel: `url` has the addresses of the sentinels (port 26379 if it has none) and the credentials of the servers behind them. The primary is the server that most sentinels name.',
      ),
    cluster: z
      .boolean()
      .default(false)
      .describe(
        'Redis Cluster: `url` has the addresses of some of its nodes. All keys are in one slot, so one primary and its replicas have all state.',
      ),
    replicas: z
      .int()
      .min(0)
      .max(8)
      .default(0)
      .describe(
        'How many replicas must have a write before it counts (`WAIT`). Where they do not have it within half of `timeout`, the request is refused. With 0, a failover may lose what was acknowledged in the moment before, such as a logout.',
      ),
    ca: pathSchema
      .optional()
      .describe('PEM file: the CAs that the server’s certificate is verified by. Default: Node’s.'),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe('The name in the server’s certificate. Default: the host.'),
    client: z
      .strictObject({
        certificate: pathSchema.describe('PEM file: the certificate chain.'),
        key: secretSchema.describe('Its private key, PEM.'),
      })
      .optional()
      .describe('The client certificate that authz presents.'),
    plaintext: z
      .boolean()
      .default(false)
      .describe(
        'Accept `redis://` to a host that is not loopback: the password and everything sealed crosses that network in the clear, unless something else encrypts it.',
      ),
    prefix: z
      .string()
      .regex(/^[\w:.{}-]{1,64}$/, 'must be 1 to 64 letters, digits, "_", ":", ".", "-", "{" or "}"')
      .optional()
      .describe(
        'The prefix of all keys. Instances with the same prefix share all state. Default: `countersign:`, and in a cluster `{countersign}:`; there it needs braces, whose text decides the slot.',
      ),
    secret: secretSchema.describe(
      `${SECRET} All instances that share the server need the same keyring.`,
    ),
    connectTimeout: positiveDuration('2s').describe(
      'For connecting, until the first command can be sent.',
    ),
    timeout: positiveDuration('500ms').describe(
      'For one command. After it the connection is closed and a new one is opened; no command is sent twice.',
    ),
  })
  .refine(({ sentinel, cluster }) => sentinel === undefined || !cluster, {
    path: ['cluster'],
    message: 'must not be there with "sentinel": it is one or the other',
  })
  .refine(({ prefix, cluster }) => !cluster || prefix === undefined || HASH_TAG.test(prefix), {
    path: ['prefix'],
    message:
      'must have a text in braces, such as "{countersign}:": a cluster keeps keys with the same one together',
  })
  .describe(
    'In Redis 6 or later, or Valkey: replicas of authz share it. Needs `maxmemory-policy noeviction`. Enable persistence in Redis if the state is to survive its restart.',
  )

const kindsGiven = (value: object): readonly string[] => KINDS.filter((kind) => kind in value)

/** The `state` section. */
export const stateSchema = z
  .strictObject({
    memory: memory.optional(),
    sqlite: sqlite.optional(),
    redis: redis.optional(),
  })
  .refine(
    (value) => kindsGiven(value).length === 1,
    `must have exactly one of ${KINDS.map((kind) => `"${kind}"`).join(', ')}`,
  )
  .prefault({ memory: {} })
  .describe(
    'The store of what all replicas must know: failed attempts, used DPoP proofs, logins. A change needs a restart.',
  )

/** The `state` section, parsed. */
export type StateConfig = z.output<typeof stateSchema>
