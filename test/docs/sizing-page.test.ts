// The figures of docs/operate/sizing.md, computed again from the latest recorded results of the bench.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import * as z from 'zod'
import { ROOT, textOf } from './markdown.ts'

const rowSchema = z.object({
  name: z.string(),
  cpu: z.number().optional(),
  envoyCpu: z.number().optional(),
  resident: z.number().optional(),
})

const resultsSchema = z.object({
  checks: z.object({ rows: z.array(rowSchema) }),
  credentials: z.object({ rows: z.array(rowSchema) }),
  certificates: z.object({
    firstRequest: z.object({ cpu: z.object({ signer: z.number() }) }),
    live: z.object({ memory: z.object({ signer: z.number(), envoyHeap: z.number() }) }),
  }),
  memory: z.object({ identities: z.number(), heap: z.number() }),
  hostile: z.object({ alone: z.object({ auditBytes: z.number() }) }),
})

const latest = globSync('bench/results/[0-9]*.json', { cwd: ROOT }).toSorted().at(-1) ?? ''
const { checks, credentials, certificates, memory, hostile } = resultsSchema.parse(
  JSON.parse(readFileSync(join(ROOT, latest), 'utf8')),
)

type Row = z.infer<typeof rowSchema>

const valueOf = (rows: readonly Row[], name: string, field: 'cpu' | 'envoyCpu' | 'resident') => {
  const value = rows.find((row) => row.name === name)?.[field]
  assert.ok(value !== undefined, `${latest} has no ${name}`)
  return value
}

const micro = (value: number): string => `${Math.round(value)} µs`
const milli = (value: number): string => `${(value / 1_000).toFixed(1)} ms`
const kilo = (value: number): string => `${Math.round(value / 1_000)} KB`

const MANY = 'many tokens in turn: Countersign'

/** What the table must have, by its first and third cell. */
const EXPECTED: Readonly<Record<string, string>> = {
  'check by a cached credential, many users · CPU of authz, saturated': micro(
    valueOf(checks.rows, `saturated, ${MANY}`, 'cpu'),
  ),
  'the same at 1,000 a second · CPU of authz, when it sleeps between requests': micro(
    valueOf(checks.rows, `1,000/s, ${MANY}`, 'cpu'),
  ),
  'new JWT · CPU of authz': micro(valueOf(credentials.rows, 'JWT, ES256: proven anew', 'cpu')),
  'new password, LDAP · CPU of authz': micro(
    valueOf(credentials.rows, 'Basic, LDAP (OpenLDAP, TLS): proven anew', 'cpu'),
  ),
  'new password, argon2id · CPU of authz, on all cores but one': milli(
    valueOf(credentials.rows, 'Basic, users file (argon2id): proven anew', 'cpu'),
  ),
  'new certificate for an identity, P-256 · CPU of the signer, with audit, TLS and SDS': milli(
    certificates.firstRequest.cpu.signer,
  ),
  'request through Envoy, saturated · CPU of Envoy, one worker': micro(
    valueOf(checks.rows, 'through Envoy, saturated: Countersign', 'envoyCpu'),
  ),
  'the same at 1,000 a second · CPU of Envoy, when it sleeps between requests': micro(
    valueOf(checks.rows, 'through Envoy, 1,000/s: Countersign', 'envoyCpu'),
  ),
  'authz, with 10,000 cached tokens · resident': `${Math.round(
    valueOf(checks.rows, `saturated, ${MANY}`, 'resident') / 1_000_000,
  )} MB`,
  'each further cached credential · heap of authz': `${(memory.heap / 1_000).toFixed(1)} KB`,
  'each identity with a certificate · Envoy': kilo(certificates.live.memory.envoyHeap),
  'each identity with a certificate · the signer': kilo(certificates.live.memory.signer),
  'audit event of a permitted request · disk': `${Math.round(hostile.alone.auditBytes)} bytes`,
}

const page = textOf('docs/operate/sizing.md')
const tableRows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )

describe('the page "Size a deployment"', () => {
  for (const [name, value] of Object.entries(EXPECTED)) {
    it(`has for "${name}" what the bench measured`, () => {
      const row = tableRows.find(([what, , of]) => `${what} · ${of}` === name)
      assert.equal(row?.[1], value, `${latest}: ${value}`)
    })
  }

  it('has a source for every figure of the table', () => {
    const end = tableRows.findIndex(([, heading]) => heading === 'computed')
    const figures = tableRows.slice(1, end).map(([what, , of]) => `${what} · ${of}`)
    const measured = 'login with a session · `state`' // by test/e2e/operate/backup.test.ts
    assert.deepEqual(
      figures.filter((name) => !(name in EXPECTED)),
      [measured],
    )
  })

  it('repeats in formulas and in the example no other figure', () => {
    const figures = new Set(tableRows.map(([, figure]) => figure))
    const [, below = ''] = page.split('## CPU')
    const used = [...below.matchAll(/× ([\d.]+ (?:µs|ms|KB|bytes))/g)].map(([, figure]) => figure)
    assert.ok(used.length > 8, String(used.length))
    assert.deepEqual(
      used.filter((figure) => !figures.has(figure)),
      [],
    )
  })

  it('computes the example', () => {
    const number = (text: string): number =>
      Number(text.replaceAll(',', '').replace(/^([\d.]+) million$/, '$1e6'))
    const UNITS: Readonly<Record<string, number>> = {
      µs: 1e-6,
      ms: 1e-3,
      'an hour': 1 / 3_600,
      cores: 1,
      bytes: 1,
      KB: 1e3,
      MB: 1e6,
      'GB a day': 1e9,
    }
    const valueOfTerm = (term: string): number => {
      const [, amount = '', unit = ''] = /^([\d.,]+(?: million)?)(?: (.+))?$/.exec(term) ?? []
      return number(amount) * (unit === '' ? 1 : (UNITS[unit] ?? Number.NaN))
    }
    const computed = tableRows.flatMap(([, text = '']) => (text.includes(' = ') ? [text] : []))
    assert.equal(computed.length, 6)
    for (const text of computed) {
      const [sum = '', result = ''] = text.split(' = ')
      const value = sum
        .split(' + ')
        .map((product) => product.split(' × ').map(valueOfTerm))
        .reduce((total, factors) => total + factors.reduce((a, b) => a * b), 0)
      const written = valueOfTerm(result)
      assert.ok(Math.abs(value - written) <= written * 0.12, `${text}: ${value}`)
    }
  })
})
