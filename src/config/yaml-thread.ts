// Reads YAML without keeping the event loop: long texts in a thread of their own, since 10,000 users take half a second.

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Slices } from '../runtime/slices.ts'
import { unpacked, type Packed } from './pieces.ts'
import type { Positions } from './positions.ts'
import { readYaml, type YamlFault } from './yaml-text.ts'

/** What the thread answers. */
export type YamlAnswer =
  | { readonly ok: true; readonly value: Packed; readonly positions: Positions }
  | { readonly ok: false; readonly faults: readonly YamlFault[] }

/** What a text holds, or what keeps it from being read; as of {@link readYaml}. */
export type YamlResult =
  | { readonly ok: true; readonly raw: unknown; readonly positions: Positions }
  | { readonly ok: false; readonly faults: readonly YamlFault[] }

// Shorter texts are read here: within 10 ms or so, and a thread takes 50 ms to start.
const LONG = 16_384

// The extension is that of this file: `.ts` in a clone, `.js` when it is built.
const WORKER = new URL(`./yaml-worker${extname(import.meta.filename)}`, import.meta.url)

/** Reads YAML (JSON is a subset) with one document, which is not empty. */
export const readYamlApart = async (text: string, slices: Slices): Promise<YamlResult> => {
  if (text.length < LONG) return readYaml(text)
  const answer = await answerOf(text)
  if (!answer.ok) return answer
  const { value, positions } = answer
  return { ok: true, raw: await unpacked(value, slices), positions }
}

const answerOf = async (text: string): Promise<YamlAnswer> => {
  const { promise, resolve, reject } = Promise.withResolvers<YamlAnswer>()
  const worker = new Worker(WORKER, { workerData: text })
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('the reader of YAML ended by itself')))
  return await promise
}
