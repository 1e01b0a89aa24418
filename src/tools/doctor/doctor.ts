// Asks every server that a configuration names, one after another of each kind and all kinds at once. It changes
// nothing, and sends no credential of a user.

import { ClockComparison } from './clock.ts'
import { directoryExaminations } from './directories.ts'
import { examine, type Bench, type Finding } from './examination.ts'
import { issuerExaminations } from './issuers.ts'
import { kubernetesExaminations } from './kubernetes.ts'
import { nameExaminations, upstreamExaminations } from './network.ts'
import { processExaminations } from './processes.ts'
import { redisExaminations } from './redis.ts'
import { revocationExaminations } from './revocation.ts'
import { endpointExaminations } from './token-endpoints.ts'

/**
 * Asks them all.
 *
 * @param onFinding called with each finding, and how many examinations there are
 */
export const examineSite = async (
  parts: Omit<Bench, 'noteTime'>,
  onFinding: (done: number, all: number) => void = () => undefined,
): Promise<readonly Finding[]> => {
  const comparison = new ClockComparison(() => parts.clock.now())
  const bench: Bench = {
    ...parts,
    noteTime: (source, time, began) => comparison.note(source, time, began),
  }
  const servers = [
    ...processExaminations(bench),
    ...upstreamExaminations(bench),
    ...(await directoryExaminations(bench)),
    ...(await redisExaminations(bench)),
    ...issuerExaminations(bench),
    ...endpointExaminations(bench),
    ...kubernetesExaminations(bench),
    ...revocationExaminations(bench),
  ]
  const examinations = [...nameExaminations(servers), ...servers]
  let done = 0
  const findings = await Promise.all(
    examinations.map(async (examination) => {
      const finding = await examine(examination, bench)
      done += 1
      onFinding(done, examinations.length)
      return finding
    }),
  )
  return [comparison.finding(), ...findings]
}
