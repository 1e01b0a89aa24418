// What the transformers of one configuration are built from.

import type { CredentialCache } from '../authenticate/credential-cache.ts'
import type { ClientParts } from '../clients/parts.ts'
import type { TokenCache } from './token/token-cache.ts'
import type { ForwardConfig } from './schema.ts'

/** What building a transformer needs. */
export interface TransformerParts extends ClientParts {
  readonly credentialCache: CredentialCache
  readonly tokens: TokenCache
}

/** The settings of a route for phase 6. */
export interface ForwardingRoute {
  readonly name: string
  readonly forward: ForwardConfig
}
