// What a certificate costs the signer, part by part: each in a loop of its own, by the CPU time of
// this process with all its threads.

import { mint, randomSerial } from '../../src/ca/mint.ts'
import { issuedFault } from '../../src/ca/verify-issued.ts'
import { encodePem } from '../../src/x509/pem.ts'
import {
  mintingQuestionSchema,
  type MintingCost,
  type MintingParts,
} from '../certificates/minting.ts'
import { median } from '../statistics.ts'
import { answerQuestions } from './answer.ts'
import { libraryMint, type LibraryMint } from './mint-library.ts'
import { prepareWorkshop, type Workshop } from './mint-workshop.ts'

answerQuestions(async (message): Promise<MintingCost> => {
  const question = mintingQuestionSchema.parse(message)
  const workshop = await prepareWorkshop(question)
  const library = await libraryMint(workshop, question.algorithm)
  const rounds: MintingCost[] = []
  // The first is for warming up.
  for (let round = 0; round <= question.rounds; round++) {
    const cost = await measureRound(workshop, library, question.keys)
    if (round > 0) rounds.push(cost)
  }
  const middle = (of: (cost: MintingCost) => number): number => median(rounds.map(of))
  return {
    parts: {
      open: middle(({ parts }) => parts.open),
      limits: middle(({ parts }) => parts.limits),
      der: middle(({ parts }) => parts.der),
      sign: middle(({ parts }) => parts.sign),
      verify: middle(({ parts }) => parts.verify),
      pem: middle(({ parts }) => parts.pem),
    },
    issue: middle(({ issue }) => issue),
    key: middle(({ key }) => key),
    library: middle((cost) => cost.library),
  }
})

const measureRound = async (
  workshop: Workshop,
  library: LibraryMint,
  keys: number,
): Promise<MintingCost> => {
  const { jobs, issuer, source } = workshop
  return {
    parts: await measureParts(workshop),
    issue: await cpuOfEach(jobs, async ({ handle }) => {
      const issuance = await issuer.issue(handle)
      if (issuance.outcome === 'refused') throw new Error(`not issued: ${issuance.code}`)
    }),
    key: await cpuOfEach(Array.from({ length: keys }), () => source.take()),
    library: await cpuOfEach(jobs, library),
  }
}

const measureParts = async ({ jobs, seal, authority }: Workshop): Promise<MintingParts> => {
  const now = Date.now()
  return {
    open: await cpuOfEach(jobs, ({ handle }) => {
      if (seal.open(handle).outcome !== 'opened') throw new Error('not opened')
    }),
    limits: await cpuOfEach(jobs, ({ minting: { grant } }) => {
      if (authority.limits.check(grant, now).outcome !== 'within') throw new Error('beyond limits')
    }),
    der: await cpuOfEach(jobs, ({ minting, signedBefore }) =>
      mint({ ...minting, serial: randomSerial(), authority: signedBefore }),
    ),
    sign: await cpuOfEach(jobs, ({ tbs }) => authority.ca.sign(tbs)),
    verify: await cpuOfEach(jobs, ({ certificate, minting, key }) => {
      const fault = issuedFault(certificate, minting, key.privateKey)
      if (fault !== undefined) throw new Error(fault)
    }),
    pem: await cpuOfEach(jobs, ({ certificate, key }) => {
      encodePem('CERTIFICATE', certificate)
      key.privateKey.export({ type: 'pkcs8', format: 'pem' })
    }),
  }
}

/** Microseconds of CPU for each item. */
const cpuOfEach = async <T>(items: readonly T[], work: (item: T) => unknown): Promise<number> => {
  const before = process.cpuUsage()
  for (const item of items) {
    const result = work(item)
    if (result instanceof Promise) await result
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / items.length
}
