// The thread that reads one YAML text and ends.

import { parentPort, workerData } from 'node:worker_threads'
import { packed } from './pieces.ts'
import type { YamlAnswer } from './yaml-thread.ts'
import { readYaml } from './yaml-text.ts'

const answer = (text: string): { message: YamlAnswer; transfer: ArrayBuffer[] } => {
  const reading = readYaml(text)
  if (!reading.ok) return { message: reading, transfer: [] }
  const { raw, positions, aliases } = reading
  const value = packed(raw, aliases)
  const { offsets, ends, lines } = positions
  return {
    message: { ok: true, value, positions },
    transfer: [value.bytes.buffer, offsets.buffer, ends.buffer, lines.buffer],
  }
}

const text: string = workerData
const { message, transfer } = answer(text)
parentPort?.postMessage(message, transfer)
