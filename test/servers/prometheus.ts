// A real Prometheus, as `scripts/prometheus.sh` has built it, that reads targets on loopback.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from './ports.ts'
import { temporaryFolder } from './temporary.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const PROMETHEUS = join(CACHE, 'prometheus', 'v3.5.0', 'prometheus')

/**
 * For `skip` of node:test: the reason to skip tests that need Prometheus, or `false` where there is one. Throws where
 * `CI` is `true`: there it is a fault that it is missing.
 */
export const skipWithoutPrometheus = (): string | false => {
  if (existsSync(PROMETHEUS)) return false
  const missing = `no ${PROMETHEUS}: "sh scripts/prometheus.sh" builds it`
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}

/** What it reads. */
export interface ScrapeTarget {
  readonly job: string
  /** `HOST:PORT`. */
  readonly target: string
  readonly path: string
  /** Of every series that it gives, such as those that Kubernetes has. */
  readonly labels?: Readonly<Record<string, string>>
}

/** A running Prometheus. */
export interface Prometheus extends AsyncDisposable {
  /** The data of an endpoint of its API, such as `/api/v1/targets`. */
  get(path: string): Promise<unknown>
}

/** Starts it with a file of rules, if any; it reads the targets and evaluates the rules at an interval, and keeps exemplars. */
export const startPrometheus = async (
  targets: readonly ScrapeTarget[],
  rules?: string,
  interval = '1s',
): Promise<Prometheus> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const port = await freePort()
  const config = {
    global: { scrape_interval: interval, evaluation_interval: interval, scrape_timeout: interval },
    rule_files: rules === undefined ? [] : [rules],
    scrape_configs: targets.map(({ job, target, path, labels = {} }) => ({
      job_name: job,
      metrics_path: path,
      static_configs: [{ targets: [target], labels }],
    })),
  }
  await writeFile(folder.file('prometheus.yml'), stringify(config))
  const child = spawn(
    PROMETHEUS,
    [
      `--config.file=${folder.file('prometheus.yml')}`,
      `--storage.tsdb.path=${folder.file('data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = once(child, 'exit')
  stack.defer(async () => {
    child.kill('SIGTERM')
    await ended
  })
  let log = ''
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>()
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
    if (log.includes('Server is ready to receive web requests')) isReady()
  })
  await Promise.race([
    ready,
    ended.then(() => {
      throw new Error(`Prometheus ended: ${log.slice(-2_000)}`)
    }),
  ])
  const owned = stack.move()
  return {
    async get(path) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`)
      return await response.json()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
