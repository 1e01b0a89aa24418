// What a certificate costs in CPU time, and which step how much of it. Run alone it prints a table:
//
//   node test/ca/mint-cost.ts [COUNT]

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { admit } from '../../src/ca/admission.ts'
import { mint, randomSerial, type Minting } from '../../src/ca/mint.ts'
import { issuedFault } from '../../src/ca/verify-issued.ts'
import type { KeyAlgorithm } from '../../src/keys/key-algorithm.ts'
import { encodePem } from '../../src/x509/pem.ts'
import { subjectOf } from '../fakes/grant.ts'
import { fileCaOf, makeCa, type TestCaOptions } from './authorities.ts'
import { Issuing } from './issuing.ts'

/** A step of an issuance, and its CPU time in microseconds, of all threads. */
export interface StepCost {
  readonly step: string
  readonly micros: number
}

/** What to measure with. */
export interface MintCostOptions {
  readonly count: number
  /** The CA's key, and the keys of what it issues. */
  readonly ca: NonNullable<TestCaOptions['kind']>
  readonly keys: KeyAlgorithm
}

/** Measures whole issuances, each for another identity, and each step by itself. */
export const measureMints = async (options: MintCostOptions): Promise<readonly StepCost[]> => {
  const { count, ca, keys } = options
  const world = new Issuing(
    fileCaOf(await makeCa({ kind: ca })),
    '{ rate: { perSecond: 1000000, burst: 1000000 } }',
    keys,
  )
  const authority = world.snapshot.authorities.get('kube') ?? assert.fail()
  const handles = Array.from({ length: count }, (_, index) =>
    world.handle({ subject: subjectOf(['CN', `user${index}`], ['O', 'developers'], ['O', 'ops']) }),
  )
  const handleAt = (index: number): string => handles[index] ?? assert.fail()
  const whole = async (index: number): Promise<void> => {
    assert.equal(await world.outcome(handleAt(index)), 'issued')
  }
  await averageOf(Math.min(count, 500), whole) // the compiler's turn
  const admission = admit(handleAt(0), world.snapshot, world.clock.now())
  assert.equal(admission.outcome, 'admitted')
  const key = await authority.keys.take()
  const { ca: signing } = authority
  const minting: Minting = {
    grant: admission.grant,
    authority: signing,
    serial: randomSerial(),
    publicKey: key.publicKey,
  }
  const certificate = await mint(minting)
  const steps: Readonly<Record<string, (index: number) => unknown>> = {
    'whole, one after another': whole,
    'unseal the handle': (index) => world.snapshot.seal.open(handleAt(index)),
    'unseal, and hold against the limits': (index) =>
      admit(handleAt(index), world.snapshot, world.clock.now()),
    'make a key': () => authority.keys.take(),
    'write and sign': () => mint(minting),
    'look once more': () =>
      assert.equal(issuedFault(certificate, minting, key.privateKey), undefined),
    'fingerprint, PEM': () => {
      createHash('sha256').update(certificate).digest('hex')
      encodePem('CERTIFICATE', certificate)
      key.privateKey.export({ type: 'pkcs8', format: 'pem' })
    },
  }
  const costs: StepCost[] = []
  for (const [step, run] of Object.entries(steps)) {
    costs.push({ step, micros: await averageOf(count, run) })
  }
  return costs
}

const averageOf = async (count: number, run: (index: number) => unknown): Promise<number> => {
  const before = process.cpuUsage()
  for (let index = 0; index < count; index++) await run(index)
  const { user, system } = process.cpuUsage(before)
  return Math.round((user + system) / count)
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 2_000)
  for (const step of await measureMints({ count, ca: 'p256', keys: 'p256' })) {
    console.log(`${String(step.micros).padStart(6)} µs  ${step.step}`)
  }
}
