// A configuration in force, with routes made of fakes.

import assert from 'node:assert/strict'
import { PhaseDurations } from '../../src/check/phase-durations.ts'
import type { Snapshot } from '../../src/check/snapshot.ts'
import { parseConfig } from '../../src/configuration/parse.ts'
import type { Config } from '../../src/configuration/schema.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { routesOf, type RouteParts } from './route.ts'
import { MINIMAL_CONFIGURATION } from './minimal-configuration.ts'

const parsed = parseConfig('/etc/countersign.yaml', MINIMAL_CONFIGURATION)
assert.ok(parsed.ok)
const { config } = parsed

/** A snapshot with these routes; the rest of its configuration is the least there can be. */
export const snapshotOf = (
  routes: readonly RouteParts[],
  audit: Partial<Config['audit']> = {},
): Snapshot => ({
  config: { ...config, audit: { ...config.audit, ...audit } },
  routes: routesOf(...routes),
  tls: undefined,
  issuerTls: undefined,
  behindProxies: false,
  limits: config.limits,
  clock: systemClock,
  phases: new PhaseDurations(systemClock),
  inUse: new Set(),
  seal: undefined,
  issuer: undefined,
  authorizationServer: undefined,
  logins: undefined,
  stateSettings: { kind: 'memory' },
  tracingSettings: undefined,
  dependencies: [],
  [Symbol.asyncDispose]: () => Promise.resolve(),
})
