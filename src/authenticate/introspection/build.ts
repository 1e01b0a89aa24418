// The `introspection` section, built.

import type { Authenticator } from '../authenticator.ts'
import { introspectionAuthenticator } from './authenticator.ts'
import { introspectionSchema, type IntrospectionConfig } from './schema.ts'
import { BEARER_LOCATIONS } from '../bearer/bearer-credentials.ts'
import { digestOf } from '../../runtime/digest.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { AuthenticatorKind } from '../kind.ts'
import type { AuthenticatorParts } from '../parts.ts'
import { buildTokenEndpoint } from '../../clients/token-endpoint/build.ts'

/** Builds an authenticator that queries an introspection endpoint; `undefined` when there are problems. */
const buildIntrospection = async (
  name: string,
  config: IntrospectionConfig,
  parts: AuthenticatorParts,
): Promise<Authenticator | undefined> =>
  await parts.problems.collect(['authenticators', name, 'introspection'], async () => {
    const { clock, credentialCache: cache } = parts
    const purpose = {
      called: 'the introspection endpoint',
      member: 'introspection_endpoint',
      remedy: 'see "client", and whether this client may introspect tokens',
      asker: { authenticator: name, kind: 'introspection' },
      isGood: ({ active }: JsonObject) => active === true,
    } as const
    const { endpoint, client, server, authorities } = await buildTokenEndpoint(
      config,
      purpose,
      parts,
    )
    return introspectionAuthenticator({
      ...config,
      name,
      endpoint,
      client,
      server,
      generation: digestOf([name, config, authorities]),
      clock,
      cache,
    })
  })

/** The kind `introspection`. */
export const introspection = {
  schema: introspectionSchema,
  subject: 'claims',
  method: 'bearer',
  proves: ['claims', 'token'],
  locations: () => BEARER_LOCATIONS,
  build: buildIntrospection,
} as const satisfies AuthenticatorKind<IntrospectionConfig>
