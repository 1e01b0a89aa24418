// docker-compose.yml as it is written, with its anchors followed and its variables unchanged.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'

/** The root of the repository. */
export const ROOT = resolve(import.meta.dirname, '../..')

/** A file of the repository. */
export const read = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8')

/** One service, as far as the tests look at it. */
export interface Service {
  readonly image: string
  readonly build?: {
    readonly context: string
    readonly target: string
    readonly args: Readonly<Record<string, string>>
  }
  readonly user?: string
  readonly group_add?: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: unknown
  readonly privileged?: unknown
  readonly security_opt?: readonly string[]
  readonly network_mode?: string
  readonly networks?: readonly string[]
  readonly ports?: readonly string[]
  readonly restart?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly command?: readonly string[]
  readonly profiles?: readonly string[]
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
  readonly volumes: Readonly<
    Record<string, { readonly driver_opts?: { readonly o: string } } | null>
  >
}

/** The file. */
export const compose: ComposeFile = parse(read('docker-compose.yml'), { merge: true })

/** The services by name. */
export const services = Object.entries(compose.services)

/** A service that there must be. */
export const service = (name: string): Service => {
  const found = compose.services[name]
  if (found === undefined) throw new Error(`there is no service ${name}`)
  return found
}

/** A mount of a volume or folder: where from, where to, and whether it may be written. */
export const mountsOf = ({ volumes = [] }: Service) =>
  volumes.map((line) => {
    const [source = '', target = '', mode = 'rw'] = line.split(':')
    return { source, target, writable: mode !== 'ro' }
  })
