// Whether a gateway has taken what an EnvoyFilter says, to the last field: Istio drops what it does not
// know without a word.

import assert from 'node:assert/strict'
import { parse } from 'yaml'
import { z } from 'zod'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { readConfig } from '../../../src/configuration/parse.ts'
import { expectationsOf } from '../../../src/envoy/lint/expectations.ts'
import { lint } from '../../../src/envoy/lint/lint.ts'
import { istioFile, placed } from './files.ts'
import type { IstioSite } from './site.ts'

/** What a patch of a route matches: the name of an HTTP route in a VirtualService. */
const routeMatch = z.object({
  routeConfiguration: z.object({
    vhost: z.object({ route: z.object({ name: z.string() }) }),
  }),
})

const filterSchema = z.object({
  spec: z.object({
    configPatches: z.array(
      z.object({
        applyTo: z.string(),
        match: z.unknown(),
        patch: z.object({ value: z.looseObject({}) }),
      }),
    ),
  }),
})

/**
 * The patches of a file that the gateway has not taken, or not whole; without those of routes that no VirtualService
 * of the site has: they are for gateways that publish the issuer (gateway.test.ts).
 */
export const notTaken = async (
  { gateway, places }: IstioSite,
  file: string,
): Promise<readonly object[]> => {
  const { spec } = filterSchema.parse(parse(placed(await istioFile(file), places)))
  const all = [...objectsIn(JSON.parse(await gateway.inForce()))]
  const names = new Set(all.map((object) => Reflect.get(object, 'name')))
  return spec.configPatches
    .filter(({ applyTo, match }) => {
      if (applyTo !== 'HTTP_ROUTE') return true
      return names.has(routeMatch.parse(match).routeConfiguration.vhost.route.name)
    })
    .map(({ patch }) => patch.value)
    .filter((value) => !all.some((candidate) => holds(candidate, value)))
}

/** The errors that `countersign envoy lint` finds in what the gateway runs with. */
export const errorsOf = async ({ gateway, folder }: IstioSite): Promise<readonly string[]> => {
  const file = folder.file('countersign.yaml')
  const { config } = await readConfig(file, new ConfigurationFiles())
  const dump = await gateway.envoy.admin('/config_dump')
  const result = lint(dump, { expected: expectationsOf(config), authzCluster: undefined })
  assert.ok(result.ok)
  // The one over TLS and the plain one.
  assert.equal(result.scope.filters, 2)
  return result.findings.flatMap(({ severity, rule }) => (severity === 'error' ? [rule] : []))
}

function* objectsIn(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return
  yield value
  for (const child of Object.values(value)) yield* objectsIn(child)
}

/** Whether everything that is wanted is there; lists may be longer. */
const holds = (actual: unknown, wanted: unknown): boolean => {
  if (Array.isArray(wanted)) {
    return Array.isArray(actual) && wanted.every((one) => actual.some((each) => holds(each, one)))
  }
  if (typeof wanted === 'object' && wanted !== null) {
    const found = new Map(Object.entries(Object(actual)))
    return Object.entries(wanted).every(([key, value]) => holds(found.get(key), value))
  }
  // Envoy leaves out what is false anyway, and writes 0.1s as 0.100s.
  if (wanted === false) return actual === false || actual === undefined
  // Nor does it show the metadata of a route that authz receives.
  if (actual === '[redacted]') return true
  return (
    actual === wanted || (isTime(wanted) && isTime(actual) && seconds(actual) === seconds(wanted))
  )
}

const isTime = (value: unknown): value is string =>
  typeof value === 'string' && /^[\d.]+s$/.test(value)

const seconds = (time: string): number => Number.parseFloat(time)
