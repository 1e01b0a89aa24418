// The `radius` section, built.

import { isUsableTls } from '../../../clients/client-tls.ts'
import { connectServer } from '../../../clients/radius/connect.ts'
import { RequestTemplate } from '../../../clients/radius/request.ts'
import type { Server } from '../../../clients/radius/server.ts'
import { RADIUS_TUNING } from '../../../clients/radius/tuning.ts'
import { resolveReferences } from '../../../config/references.ts'
import type { BuiltVerifier, VerifierParts } from '../built-verifier.ts'
import type { RadiusConfig } from './schema.ts'
import { RadiusVerifier } from './verifier.ts'

/** Builds the verifier of RADIUS servers; `undefined` where there are problems with it. */
export const buildRadius = async (
  config: RadiusConfig,
  path: readonly PropertyKey[],
  parts: Pick<VerifierParts, 'files' | 'problems' | 'durations' | 'clock' | 'logger'>,
): Promise<BuiltVerifier | undefined> => {
  const { problems, durations, clock, logger } = parts
  const tuning = RADIUS_TUNING
  const resolution = await resolveReferences(config, path, parts)
  if (resolution === undefined) return undefined
  const { settings, generation } = resolution
  const template = new RequestTemplate(settings)
  const resources = { status: template.status, tuning, durations, clock, logger }
  const servers: Server[] = []
  for (const [index, server] of settings.servers.entries()) {
    const at = [...path, 'servers', index]
    const { tls } = config.servers[index] ?? {}
    if (tls && server.tls && !isUsableTls(tls, server.tls, [...at, 'tls'], problems)) continue
    const connected = await problems.collect(at, () => connectServer(server, settings, resources))
    if (connected !== undefined) servers.push(connected)
  }
  if (servers.length < settings.servers.length) return undefined
  const verifier = new RadiusVerifier(settings, { clock, servers, template, tuning })
  return {
    verifier,
    generation,
    servers: verifier.servers,
    close: () => verifier[Symbol.asyncDispose](),
  }
}
