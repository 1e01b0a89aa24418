// The settings of upstream IdPs, built: secrets read, identity mappings compiled. No request is sent here.

import type { UpstreamIdpConfig } from './schema.ts'
import { readSecret } from '../../config/secret.ts'
import { CountersignError } from '../../runtime/errors.ts'
import { IdentityMapping, mappingReport } from '../../identity/mapping.ts'
import type { ClientParts } from '../../clients/parts.ts'

/** The settings of an upstream IdP. */
export interface UpstreamIdpSettings {
  readonly id: string
  readonly config: UpstreamIdpConfig
  readonly secret: string
  /** PEM. */
  readonly ca: Buffer | undefined
  /** Maps its users to identities. */
  readonly mapping: IdentityMapping
}

/** Reads their files; one with problems is left out. */
export const buildUpstreamIdps = async (
  providers: Readonly<Record<string, UpstreamIdpConfig>>,
  { problems, files, logger }: Pick<ClientParts, 'problems' | 'files' | 'logger'>,
): Promise<readonly UpstreamIdpSettings[]> => {
  const built: UpstreamIdpSettings[] = []
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
    const mapping = new IdentityMapping(id, config, mappingReport(id, logger))
    built.push({ id, config, secret, ca: authorities.pem, mapping })
  }
  return built
}
