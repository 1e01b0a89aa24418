// The processes of one site: authz, the signer, and Envoy with its running configuration.

import { authzAddresses } from '../../configuration/workers.ts'
import type { Address } from '../../config/values.ts'
import { formatAddress } from '../../config/values.ts'
import { get } from '../../envoy/admin.ts'
import { fetchConfigDump } from '../../envoy/config-dump.ts'
import { expectationsOf } from '../../envoy/lint/expectations.ts'
import { forwardsCertificates } from '../../envoy/identity-certificate.ts'
import { lint } from '../../envoy/lint/lint.ts'
import { isOlder, neededVersion, parseVersion, type EnvoyVersion } from '../../envoy/version.ts'
import { describeError } from '../../runtime/errors.ts'
import { isJsonObject } from '../../runtime/json-object.ts'
import { healthOf } from '../health.ts'
import { ok, type Bench, type Examination, type Judgement } from './examination.ts'

/** The examinations of all three, as far as the configuration says where they are. */
export const processExaminations = (bench: Bench): readonly Examination[] => {
  const { listen, envoy } = bench.config
  return [
    ...authzAddresses(bench.config).map((address) => authzExamination(address, bench)),
    ...(listen.admin === undefined ? [] : [readinessExamination(listen.admin.address)]),
    ...(forwardsCertificates(bench.config) && envoy?.signerAddress !== undefined
      ? [signerExamination(envoy.signerAddress, bench)]
      : []),
    ...(envoy === undefined ? [] : [envoyExamination(envoy.admin, bench)]),
  ]
}

const authzExamination = (
  address: Address,
  { config: { listen }, timeout }: Bench,
): Examination => {
  const target = formatAddress(address)
  return {
    area: 'authz',
    target,
    path: ['listen', 'authz'],
    ask: async () => {
      if (listen.authz.tls !== undefined) {
        const message = 'only Envoy may call it: it requires a client certificate'
        return { outcome: 'skipped', message }
      }
      return await judgeHealth(target, timeout, 'authz')
    },
  }
}

const signerExamination = (address: Address, { timeout }: Bench): Examination => ({
  area: 'signer',
  target: formatAddress(address),
  path: ['envoy', 'signerAddress'],
  ask: async () => await judgeHealth(formatAddress(address), timeout, 'the signer'),
})

const judgeHealth = async (target: string, timeout: number, name: string): Promise<Judgement> => {
  let status: string
  try {
    status = await healthOf(target, timeout)
  } catch (cause) {
    const message = `does not answer: ${describeError(cause)}`
    const remedy = `Start ${name}, or correct the address; see its log where it runs`
    return { outcome: 'error', message, remedy }
  }
  return status === 'SERVING'
    ? ok('serves')
    : { outcome: 'error', message: `answers, but is ${status}`, remedy: `See the log of ${name}` }
}

const readinessExamination = (address: Address): Examination => ({
  area: 'authz',
  target: formatAddress(address),
  path: ['listen', 'admin'],
  ask: async (signal) => {
    const { status, body } = await get(address, '/readyz?verbose', { signal, largest: LARGEST })
    // `[!]` and `[-]` precede what is not as it should be, as in Kubernetes.
    const faults = body.split('\n').filter((line) => /^\[[!-]\]/.test(line))
    if (status === 200 && faults.length === 0) return ok('is ready')
    const message = faults.length > 0 ? faults.join('; ') : `answers /readyz with ${status}`
    const outcome = status === 200 ? 'warning' : 'error'
    return { outcome, message, remedy: 'See the log of authz' }
  },
})

const LARGEST = 65_536
// With a list of all extensions that Envoy has.
const LARGEST_INFO = 4_194_304

const envoyExamination = (admin: Address, bench: Bench): Examination => ({
  area: 'envoy',
  target: formatAddress(admin),
  path: ['envoy', 'admin'],
  ask: async (signal) => {
    const { body } = await get(admin, '/server_info', { signal, largest: LARGEST_INFO })
    const { version, state } = serverInfo(body)
    const needed = neededVersion(bench.config)
    if (version === undefined) {
      const remedy = 'Correct "envoy.admin": another server answers there'
      return { outcome: 'error', message: 'does not answer as Envoy does', remedy }
    }
    if (isOlder(version, needed)) {
      return {
        outcome: 'error',
        message: `is Envoy ${version.join('.')}, and this configuration needs ${needed.slice(0, 2).join('.')}`,
        remedy: `Run Envoy ≥ ${needed.slice(0, 2).join('.')}`,
      }
    }
    if (state !== 'LIVE') {
      const remedy = 'See the log of Envoy'
      return { outcome: 'warning', message: `Envoy is ${state}, not LIVE`, remedy }
    }
    return await judgeConfiguration(admin, version, bench)
  },
})

const serverInfo = (
  body: string,
): { readonly version: EnvoyVersion | undefined; readonly state: string } => {
  let info: unknown
  try {
    info = JSON.parse(body)
  } catch {
    return { version: undefined, state: '' }
  }
  if (!isJsonObject(info)) return { version: undefined, state: '' }
  // COMMIT/1.40.0/Clean/RELEASE/BoringSSL, as "envoy --version" prints it.
  const version = parseVersion(`version: ${String(info['version'])}`)
  return { version, state: String(info['state']) }
}

const judgeConfiguration = async (
  admin: Address,
  version: EnvoyVersion,
  { config, timeout }: Bench,
): Promise<Judgement> => {
  const result = lint(await fetchConfigDump(admin, { timeout }), {
    expected: expectationsOf(config),
    authzCluster: undefined,
  })
  const name = `Envoy ${version.join('.')}`
  const remedy = `Run "countersign envoy lint --admin ${formatAddress(admin)}" with this configuration: it has the remedies`
  if (!result.ok) {
    return { outcome: 'error', message: `${name}: its configuration: ${result.reason}`, remedy }
  }
  const errors = result.findings.filter(({ severity }) => severity === 'error')
  const [first] = [...errors, ...result.findings]
  if (first === undefined) return ok(`${name} is live, and its configuration is as it must be`)
  const others = result.findings.length - 1
  const more = others > 0 ? ` (and ${others} more)` : ''
  const outcome = errors.length > 0 ? 'error' : 'warning'
  return { outcome, message: `${name}: ${first.problem}${more}`, remedy }
}
