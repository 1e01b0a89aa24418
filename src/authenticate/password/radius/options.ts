// What can be set about RADIUS, as plain data, and what holds where nothing is set.

import type { AccountRefusal } from '../verifier.ts'
import type { AttributeSource, FactsOptions } from './facts.ts'
import type { RadiusServerOptions } from '../../../clients/radius/options.ts'

/** An Access-Reject that says more than that the password is wrong. */
interface RefusalPattern {
  /** Found in the `Reply-Message` of an Access-Reject. */
  readonly pattern: RegExp
  /**
   * What it means. The server must say so only where the password was right, or before it has looked
   * at the password.
   */
  readonly code: AccountRefusal
}

/** What a RADIUS verifier can be told. */
export interface RadiusOptions {
  /** Called in this order until one answers. */
  readonly servers: readonly RadiusServerOptions[]
  /**
   * Milliseconds that one verification may take, with every retransmission and every server; each
   * server gets an equal share of what is left. A server that asks its users on their telephones
   * needs as long as they do. HTTP Basic gives up after 10 s whatever stands here; the login page does not. Default: 5000.
   */
  readonly timeout?: number
  /** Milliseconds to the first retransmission, doubled each time (RFC 5080 §2.2.1). Default: 500. */
  readonly retransmitAfter?: number
  /** How often a request is sent again to one server. Default: 2. */
  readonly retries?: number
  /**
   * Milliseconds at most for which a server that does not answer is left alone, after which one
   * request tries it. At first it is half a second. Default: 10000.
   */
  readonly coolDown?: number
  /**
   * Whether the servers answer Status-Server (RFC 5997), as FreeRADIUS does and Microsoft's NPS does
   * not. Then that, and nobody's password, finds out whether a server is back. Default: false.
   */
  readonly statusServer?: boolean
  /** How many verifications are under way at once. Default: 256. */
  readonly concurrency?: number
  /** How many more wait for that; others are refused. Default: 1024. */
  readonly queue?: number
  /** `NAS-Identifier`: who we are, 1 to 253 bytes. Default: `countersign`. */
  readonly nasIdentifier?: string
  /** `NAS-IP-Address`, IPv4. Default: not sent. */
  readonly nasAddress?: string | undefined
  /** `Service-Type` (RFC 2865 §5.6). Default: 1, Login; 8 is Authenticate Only. */
  readonly serviceType?: number
  /** `NAS-Port-Type` (RFC 2865 §5.41). Default: 5, Virtual. */
  readonly nasPortType?: number
  /**
   * Whether the caller's address is sent as `Calling-Station-Id` (RFC 2865 §5.31), so that the server
   * can judge and record where a login comes from. Default: true.
   */
  readonly callingStationId?: boolean
  /** The user's name; see {@link FactsOptions.user}. Default: `as-typed`. */
  readonly user?: FactsOptions['user']
  /** A stable identifier. Default: none. */
  readonly uid?: AttributeSource | undefined
  /** Attributes that are groups. Default: none. */
  readonly groups?: readonly AttributeSource[]
  /** Attributes that become further facts, by the fact's name. Default: none. */
  readonly extra?: Readonly<Record<string, AttributeSource>>
  /**
   * What an Access-Reject is taken for: RADIUS does not say whether it knows the user. With
   * `unknown-user` the next verifier is asked, which sees the password too. Default: `wrong-password`.
   */
  readonly onReject?: 'wrong-password' | 'unknown-user'
  /** The first that fits. Default: none. */
  readonly refusals?: readonly RefusalPattern[]
  /** The question of an Access-Challenge that has none. Default: `Enter the code`. */
  readonly question?: string
}

/** The options with what holds where nothing is set. */
export type RadiusSettings = Required<Omit<RadiusOptions, 'nasAddress' | 'uid'>> &
  Pick<RadiusOptions, 'nasAddress' | 'uid'>

/** What holds where nothing is set. */
export const RADIUS_DEFAULTS = {
  timeout: 5_000,
  // RFC 5080 has 2 s and 5 times, for terminals that nobody waits at.
  retransmitAfter: 500,
  retries: 2,
  coolDown: 10_000,
  statusServer: false,
  concurrency: 256,
  queue: 1_024,
  nasIdentifier: 'countersign',
  serviceType: 1,
  nasPortType: 5,
  callingStationId: true,
  user: 'as-typed',
  groups: [],
  extra: {},
  refusals: [],
  onReject: 'wrong-password',
  question: 'Enter the code',
} as const
