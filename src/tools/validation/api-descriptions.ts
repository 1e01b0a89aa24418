// What `validate` warns about in the API descriptions of routes.

import type { Config } from '../../configuration/schema.ts'
import { ApiDescriptions } from '../../request/openapi/descriptions.ts'
import { CountersignError } from '../../runtime/errors.ts'
import { warningAt, type Finding } from './finding.ts'
import type { Reading } from './certificates.ts'

/** What is unusual about the descriptions, or takes too long to be found. */
export const descriptionFindings = async (
  { routes }: Pick<Config, 'routes'>,
  { files }: Pick<Reading, 'files'>,
): Promise<readonly Finding[]> => {
  const findings: Finding[] = []
  const descriptions = new ApiDescriptions(undefined, { allWarnings: true })
  for (const [index, { openapi }] of routes.entries()) {
    if (openapi === undefined) continue
    const path = ['routes', index, 'openapi', 'file']
    try {
      const text = await files.readText(openapi.file)
      const { warnings } = await descriptions.read(text, openapi.base)
      findings.push(...warnings.map((warning) => warningAt(path, `${openapi.file}: ${warning}`)))
    } catch (cause) {
      if (!(cause instanceof CountersignError)) throw cause
      findings.push(warningAt(path, `${openapi.file}: ${cause.message}`))
    }
  }
  return findings
}
