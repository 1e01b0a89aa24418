// The `apiKey` section, built: the keys are read, and the locations are validated.

import { apiKeyAuthenticator } from './authenticator.ts'
import type { KeyLocation } from './locations.ts'
import { KeysFile } from './keys-file.ts'
import type { Authenticator } from '../authenticator.ts'
import { apiKeySchema, type ApiKeyConfig } from './schema.ts'
import { CountersignError } from '../../runtime/errors.ts'
import { complaintAboutLocation } from '../../request/credential-header-names.ts'
import type { AuthenticatorKind } from '../kind.ts'
import type { AuthenticatorParts } from '../parts.ts'

/** Builds an authenticator for API keys; `undefined` when there are problems with it. */
const buildApiKey = async (
  name: string,
  { realm, file, locations }: ApiKeyConfig,
  { files, problems, clock }: AuthenticatorParts,
): Promise<Authenticator | undefined> => {
  const path = ['authenticators', name, 'apiKey']
  const places: KeyLocation[] = []
  for (const [index, location] of locations.entries()) {
    await problems.collect([...path, 'locations', index], () => places.push(placeOf(location)))
  }
  const keys = await problems.collect([...path, 'file'], async () =>
    KeysFile.parse(file, await files.readGuardedText(file)),
  )
  return keys && apiKeyAuthenticator({ name, realm, places, keys, clock })
}

const placeOf = ({ header, scheme, query }: ApiKeyConfig['locations'][number]): KeyLocation => {
  if (query !== undefined) return { kind: 'query', name: query }
  if (header === undefined) throw new TypeError('a location of no kind') // the schema requires one
  const complaint = complaintAboutLocation(header)
  if (complaint !== undefined) throw new CountersignError('configuration-invalid', complaint)
  return { kind: 'header', name: header, scheme }
}

/** The kind `apiKey`. */
export const apiKey = {
  schema: apiKeySchema,
  subject: 'account',
  method: 'api-key',
  proves: [],
  locations: ({ locations }) =>
    locations.map(({ header = '', query }) =>
      query === undefined ? { kind: 'header', name: header } : { kind: 'query', name: query },
    ),
  build: buildApiKey,
} as const satisfies AuthenticatorKind<ApiKeyConfig>
