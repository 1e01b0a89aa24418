// The providers of others where people may log in, built: secrets read, identities compiled. They are
// asked elsewhere.

import type { ChainLink } from '../authenticate/chain.ts'
import type { LoginProviderConfig } from '../logins/upstream-idp-schema.ts'
import { readSecret } from '../config/secret.ts'
import { CountersignError } from '../runtime/errors.ts'
import { mappingOf, mappingReport } from '../authenticate/mapping.ts'
import type { AuthenticatorParts } from '../authenticate/parts.ts'

/** A provider of others. */
export interface LoginProvider {
  readonly id: string
  readonly config: LoginProviderConfig
  readonly secret: string
  /** PEM. */
  readonly ca: Buffer | undefined
  /** Who its people are here. */
  readonly mapping: ChainLink['mapping']
}

/** Reads what they need; one with problems is left out. */
export const buildLoginProviders = async (
  providers: Readonly<Record<string, LoginProviderConfig>>,
  { problems, files, logger }: Pick<AuthenticatorParts, 'problems' | 'files' | 'logger'>,
): Promise<readonly LoginProvider[]> => {
  const built: LoginProvider[] = []
  for (const [id, config] of Object.entries(providers)) {
    const path = ['issuer', 'login', 'providers', id]
    const secret = await problems.collect([...path, 'clientSecret'], async () => {
      const text = (await readSecret(config.clientSecret, files)).toString('utf8').trim()
      if (text !== '') return text
      throw new CountersignError('configuration-invalid', 'is empty')
    })
    const { ca } = config
    const authorities = await problems.collect([...path, 'ca'], async () =>
      ca === undefined ? { pem: undefined } : { pem: await files.read(ca) },
    )
    if (secret === undefined || authorities === undefined) continue
    const mapping = mappingOf(id, config, mappingReport(id, logger))
    built.push({ id, config, secret, ca: authorities.pem, mapping })
  }
  return built
}
