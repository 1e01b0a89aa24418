// An authenticator, built from the text of a configuration as the service builds it.

import { dirname } from 'node:path'
import { RevocationSources } from '../../../src/authenticate/certificate/revocation-sources.ts'
import type { ChainLink } from '../../../src/authenticate/chain.ts'
import { FactMemory } from '../../../src/authenticate/facts.ts'
import { HashPool } from '../../../src/authenticate/password/hash.ts'
import { KeySets } from '../../../src/authenticate/token/key-sets.ts'
import { buildLink } from '../../../src/check/authenticators/build.ts'
import type { AuthenticatorParts } from '../../../src/check/authenticators/parts.ts'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { parseConfig } from '../../../src/config/parse.ts'
import { ProblemList } from '../../../src/config/problem-list.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { ProcessReplayMemory } from '../../../src/state/replay-memory.ts'
import { memoryState } from '../../../src/state/state.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'

/** What came of building. */
export interface Built extends AsyncDisposable {
  /** Missing when there are problems. */
  readonly link: ChainLink | undefined
  /** Of the text, or of what it names. */
  readonly problems: readonly string[]
  /** Every file that is watched. */
  readonly files: readonly string[]
  readonly dependencies: AuthenticatorParts['dependencies']
  readonly log: readonly string[]
}

/**
 * Builds the authenticator `staff`.
 *
 * @param file the path of the configuration, from whose folder relative paths start
 * @param sections what stands under its name, as YAML or JSON in flow style
 */
export const buildFrom = async (
  file: string,
  sections: string,
  clock: Clock = new FakeClock(),
): Promise<Built> => {
  const { logger, lines } = memoryLogger()
  const connections = new AsyncDisposableStack()
  const files = new ConfigurationFiles()
  const dependencies: AuthenticatorParts['dependencies'] = []
  const shown = {
    dependencies,
    log: lines,
    [Symbol.asyncDispose]: () => connections.disposeAsync(),
  }
  const parsed = parseConfig(
    file,
    `
version: 1
listen: { authz: 'unix:${dirname(file)}/authz.sock' }
authenticators: { staff: ${sections} }
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]
`,
  )
  if (!parsed.ok) {
    const problems = parsed.problems.map(({ message }) => message)
    return { ...shown, link: undefined, problems, files: [] }
  }
  const { config, locate } = parsed
  const problems = new ProblemList(locate)
  const staff = config.authenticators['staff']
  if (staff === undefined) throw new Error('nothing to build')
  const link = await buildLink('staff', staff, {
    memory: new FactMemory(clock),
    hashes: new HashPool(),
    keySets: connections.use(new KeySets(clock, logger)),
    revocations: new RevocationSources(clock, logger),
    replays: new ProcessReplayMemory(clock),
    state: memoryState(clock),
    clock,
    logger,
    files,
    problems,
    connections,
    lent: new Set(),
    dependencies,
  })
  const messages = problems.error?.problems.map(({ message }) => message) ?? []
  return { ...shown, link, problems: messages, files: files.paths }
}
