// Changes of a site while it runs, each waited for until it is in force.

import { readFile, rename, writeFile } from 'node:fs/promises'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { eventually, type Site } from '../site.ts'

/** Replaces a file as careful editors do it: never half written. */
export const replaceFile = async (file: string, content: string | Buffer): Promise<void> => {
  await writeFile(`${file}.new`, content)
  await rename(`${file}.new`, file)
}

/** Makes a change to files that authz watches, and waits for the event that it has taken it over. */
export const reloaded = async (
  site: Pick<Site, 'files'>,
  change: () => Promise<void>,
): Promise<void> => {
  const loads = async (): Promise<number> =>
    (await readFile(site.files.audit, 'utf8')).split('"configuration-loaded"').length
  const before = await loads()
  await change()
  await eventually(loads, (count) => count > before)
}

const configSchema = z.looseObject({
  authenticators: z.looseObject({}),
  routes: z.tuple([z.looseObject({})]),
})

/** What changes in a configuration. */
interface Changes {
  /** Authenticators by name, in place of those of these names. */
  readonly authenticators?: Readonly<Record<string, unknown>>
  /** In place of the route's. */
  readonly authenticate?: readonly unknown[]
  /** For an Envoy with another configuration, which writes headers about callers' certificates. */
  readonly withoutEnvoy?: boolean
}

/** Changes the configuration of authz, and waits until it is in force. */
export const reconfigure = async (site: Site, changes: Changes): Promise<void> => {
  const { authenticators = {}, authenticate, withoutEnvoy = false } = changes
  const before = await readFile(site.files.config, 'utf8')
  const config = configSchema.parse(parse(before))
  const [route] = config.routes
  const text = stringify({
    ...config,
    authenticators: { ...config.authenticators, ...authenticators },
    routes: [authenticate === undefined ? route : { ...route, authenticate }],
    ...(withoutEnvoy ? { envoy: undefined } : {}),
  })
  // authz would have no reason to read the same text again.
  if (text !== before) await reloaded(site, () => replaceFile(site.files.config, text))
}
