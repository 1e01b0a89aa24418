// `countersign authz`: the ext_authz service, until a signal ends it.

import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { formatAddress } from '../config/values.ts'
import type { Config } from '../configuration/schema.ts'
import type { Worker } from '../configuration/workers.ts'
import type { Workers } from '../configuration/workers-schema.ts'
import { endStart } from '../runtime/start.ts'
import { configOption, workersOption } from './options.ts'
import { endSignal } from './signals.ts'

interface Options {
  readonly config: string
  readonly workers?: Workers
  readonly worker?: Worker
}

/** The command. */
export const authzCommand = (): Command =>
  new Command('authz')
    .description(
      'run the ext_authz service for Envoy. SIGHUP reloads the configuration, clears the credential cache and reopens the audit file; SIGUSR2 reopens the audit file alone; SIGTERM completes requests in progress and exits',
    )
    .addOption(configOption())
    .addOption(
      workersOption('how many processes: a number, or auto for one per CPU; default: `workers`'),
    )
    .addOption(
      new Option('--worker <index/count>', 'run one of them, as their supervisor does')
        .argParser(workerOf)
        .hideHelp(),
    )
    .action(async ({ config, workers, worker }: Options) => {
      if (worker !== undefined) return await runWorker(config, worker)
      if (workers === 1 || (workers === undefined && !(await namesWorkers(config)))) {
        return await runAlone(config)
      }
      const { readWorkers } = await import('../workers/supervisor.ts')
      const { config: read, count } = await readWorkers(config, workers)
      if (count === 1) await runAlone(config)
      else await runSupervisor(config, read, count)
    })

const workerOf = (text: string): Worker => {
  const [, index, count] = /^(\d{1,2})\/(\d{1,2})$/.exec(text) ?? []
  if (index === undefined || count === undefined) {
    throw new InvalidArgumentError('It must be INDEX/COUNT.')
  }
  return { index: Number(index), count: Number(count) }
}

/** Whether the text has the key, in any form. One that does not is not parsed once more. */
const namesWorkers = async (config: string): Promise<boolean> => {
  const text = await readFile(config, 'utf8').catch(() => '') // the start says why
  return text.includes('workers')
}

// Each loads only its own code.

const runSupervisor = async (file: string, config: Config, count: number): Promise<void> => {
  const { startSupervisor } = await import('../workers/supervisor.ts')
  await using supervisor = await startSupervisor(file, config, count)
  process.on('SIGHUP', () => void supervisor.reload())
  process.on('SIGUSR2', () => void supervisor.reopenAudit()) // Node.js has SIGUSR1 for its debugger
  const { addresses } = supervisor
  await untilEnded({ ready: addresses[0], workers: addresses }, () => supervisor.kill())
}

const runAlone = async (config: string): Promise<void> => {
  const { startAuthz } = await import('../authz.ts')
  await using authz = await startAuthz(config)
  process.on('SIGHUP', () => void authz.reload())
  process.on('SIGUSR2', () => void authz.reopenAudit())
  await untilEnded({ ready: formatAddress(authz.address) })
}

/** One of several: it reloads when its supervisor says so. */
const runWorker = async (config: string, worker: Worker): Promise<void> => {
  const { startAuthz } = await import('../authz.ts')
  const { answerSupervisor } = await import('../workers/worker.ts')
  const onChange = async (): Promise<void> => void process.send?.({ reload: false })
  await using authz = await startAuthz(config, { ...worker, onChange })
  answerSupervisor(process, authz.supervised)
  process.on('SIGHUP', () => void process.send?.({ reload: true }))
  process.on('SIGUSR2', () => void authz.reopenAudit())
  const { fingerprint } = authz
  await untilEnded({ ready: formatAddress(authz.address), fingerprint })
}

/** Reports that it is ready, to `countersign up` or to the supervisor, and waits for the signal that ends it. */
const untilEnded = async (report: object, onSecond?: () => void): Promise<void> => {
  endStart()
  const ended = endSignal(onSecond) // before the report, since the parent may end the process at once
  process.send?.(report)
  await ended
  if (process.connected) process.disconnect() // or the channel would keep the process alive
}
