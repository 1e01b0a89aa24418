// The authorization server alone, on a state of the test's own, which can look at what is stored.

import { Reloader } from '../../src/config/reload.ts'
import { processResources, type SnapshotResources } from '../../src/check/resources.ts'
import { clientNotifier } from '../../src/issuer/provider/client-notifier.ts'
import { buildSnapshot } from '../../src/check/snapshot.ts'
import { startIssuerListener } from '../../src/issuer/listener.ts'
import { IssuerMetrics } from '../../src/issuer/http/metrics.ts'
import { systemClock as clock } from '../../src/runtime/clock.ts'
import type { State } from '../../src/state/state.ts'
import { MemoryAudit } from '../fakes/audit-sink.ts'
import { Browser } from '../fakes/browser.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { siteFolder } from './authorization-server.ts'

/** A running one, by the configuration of the site. */
export interface IssuerOn extends AsyncDisposable {
  readonly port: number
  browser(): Browser
}

/** Starts one. */
export const startIssuerOn = async (state: State): Promise<IssuerOn> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await siteFolder())
  const file = folder.file('countersign.yaml')
  const { logger } = memoryLogger()
  const audit = new MemoryAudit()
  const metrics = new IssuerMetrics()
  const logins: SnapshotResources['logins'] = {
    events: audit,
    notifierOf: async (server, { keys }) =>
      await Promise.resolve(clientNotifier(server, keys, { metrics, logger })),
  }
  const resources = stack.use(processResources(clock, logger, { state, logins }))
  const reloader = stack.use(await Reloader.start((files) => buildSnapshot(file, files, resources)))
  stack.defer(() => reloader.current().value[Symbol.asyncDispose]())
  const listener = stack.use(
    await startIssuerListener(
      { address: { kind: 'tcp', host: '127.0.0.1', port: 0 }, plaintext: false, mode: '0660' },
      {
        current: () => reloader.current().value,
        records: state.records,
        attempts: state.attempts,
        derivedKeys: state.keys,
        audit,
        metrics,
        clock,
        logger,
      },
    ),
  )
  if (listener.address.kind !== 'tcp') throw new Error('not on a port')
  const { port } = listener.address
  const running = stack.move()
  return {
    port,
    browser: () => new Browser({ port }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
