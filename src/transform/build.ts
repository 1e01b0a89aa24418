// `forward` of a route, built: what makes each credential that the upstream gets.

import type { AssertionConfig } from './schema.ts'
import type { MintConfig } from '../keys/mint-schema.ts'
import type { GrantSeal } from '../grant/seal.ts'
import { CountersignError } from '../runtime/errors.ts'
import { clientCertificate } from './client-certificate.ts'
import { complaintAboutOwnHeader } from './headers/own.ts'
import { mintedToken, type MintOptions } from './token/mint.ts'
import { Minter } from './token/minter.ts'
import type { Transformer } from './transformer.ts'
import type { ForwardingRoute, TransformerParts } from './parts.ts'
import { foreignBearer } from './token/build.ts'
import { buildHeaders } from './headers/build.ts'
import { requireKey, type Issuer } from '../keys/issuer.ts'

/** What building needs. */
export interface ForwardingParts extends TransformerParts {
  readonly seal: GrantSeal | undefined
  readonly issuer: Issuer | undefined
}

type Path = readonly PropertyKey[]

/**
 * Builds the transformers of a route, cheap ones first: one that fails spares the rest.
 *
 * @param path of the `forward` section, for problems
 */
export const buildForwarding = async (
  route: ForwardingRoute,
  path: Path,
  parts: ForwardingParts,
): Promise<readonly Transformer[]> => {
  const { forward } = route
  const { problems } = parts
  const transformers: Transformer[] = []
  const add = async (
    key: readonly string[],
    build: () => Transformer | undefined | Promise<Transformer>,
  ): Promise<void> => {
    const built = await problems.collect([...path, ...key], async () => await build())
    if (built !== undefined) transformers.push(built)
  }
  for (const name of Object.keys(forward.set)) {
    await problems.collect([...path, 'set', name], () => refuseUnfit(name))
  }
  transformers.push(...buildHeaders(forward))
  if (forward.assertion !== undefined) {
    const { assertion } = forward
    await add(['assertion'], () => buildAssertion(assertion, route, parts))
  }
  if (forward.bearer?.mint !== undefined) {
    const { mint } = forward.bearer
    const target = { kind: 'minted-token', header: 'authorization', prefix: 'Bearer ' } as const
    await add(['bearer', 'mint'], () => buildMinted(mint, target, route, parts))
  }
  const foreign = foreignBearer(route, parts)
  if (foreign !== undefined) await add(['bearer', foreign.key], foreign.build)
  if (forward.certificate !== undefined) {
    const { certificate: config } = forward
    const { seal, clock } = parts
    // A problem with the keyring has been reported.
    if (seal !== undefined) {
      await add(['certificate'], () =>
        clientCertificate({ route: route.name, config, seal, clock }),
      )
    }
  }
  return transformers
}

const refuseUnfit = (header: string): void => {
  const complaint = complaintAboutOwnHeader(header)
  if (complaint !== undefined) throw new CountersignError('configuration-invalid', complaint)
}

const buildAssertion = (
  { header, ...config }: AssertionConfig,
  route: ForwardingRoute,
  parts: ForwardingParts,
): Transformer | undefined => {
  refuseUnfit(header)
  return buildMinted(config, { kind: 'assertion', header, prefix: '' }, route, parts)
}

/** `undefined` where the keys have a problem, which has been reported. */
const buildMinted = (
  config: MintConfig,
  target: Pick<MintOptions, 'kind' | 'header' | 'prefix'>,
  { forward: { allowReserved } }: ForwardingRoute,
  { issuer, tokens: cache, clock }: ForwardingParts,
): Transformer | undefined => {
  if (issuer === undefined) return undefined
  const { url, keys } = issuer
  requireKey(issuer, config.algorithm)
  const minter = new Minter({ config, issuer: url, keys, allowReserved, cache, clock })
  return mintedToken({ ...target, minter, cache, clock })
}
