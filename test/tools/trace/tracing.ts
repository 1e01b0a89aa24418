// A trace through logs that are texts.

import { correlate, type Trace } from '../../../src/tools/trace/report.ts'
import { trace } from '../../../src/tools/trace/tracer.ts'

/** Logs by the names of their files: those of an API server begin with `kube`. */
export type Logs = Readonly<Record<string, string>>

const CHUNK = 7_919

/** Traces an id. */
export const traceIn = async (
  logs: Logs,
  id: string,
  limits = { reports: 100, uses: 1_000 },
): Promise<Trace> => {
  const isKubernetes = (file: string): boolean => file.startsWith('kube')
  const kubernetes = Object.keys(logs).filter(isKubernetes)
  const found = await trace(
    id,
    {
      ours: Object.keys(logs).filter((file) => !isKubernetes(file)),
      kubernetes,
      async *open(file) {
        const bytes = Buffer.from(logs[file] ?? '', 'latin1')
        for (let at = 0; at < bytes.length; at += CHUNK) {
          yield await Promise.resolve(bytes.subarray(at, at + CHUNK))
        }
      },
    },
    limits,
  )
  return correlate(found, kubernetes.length > 0)
}
