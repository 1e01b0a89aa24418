// The thread that reads one API description and ends.

import { parentPort, workerData } from 'node:worker_threads'
import { CountersignError } from '../../runtime/errors.ts'
import type { DescriptionResult, DescriptionTask } from './descriptions.ts'
import { readApiDescription } from './document.ts'

const read = async ({ text, base, allWarnings }: DescriptionTask): Promise<DescriptionResult> => {
  try {
    return { ok: true, description: await readApiDescription(text, { base, allWarnings }) }
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    return { ok: false, code: cause.code, message: cause.message }
  }
}

const task: DescriptionTask = workerData
// Not `await`: a single executable has threads as CommonJS.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
void read(task).then((result) => parentPort?.postMessage(result))
